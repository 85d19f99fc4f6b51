"""Tenants, releases and lifecycles on the command line."""
