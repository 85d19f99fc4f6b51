"""Parsers of reports, one file a format: whatever stands in this folder is found."""
