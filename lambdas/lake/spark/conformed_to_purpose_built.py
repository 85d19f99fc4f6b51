"""Placeholder until the jobs are merged."""
