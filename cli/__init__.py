"""The operator's command line: a convenience over the same tables that put-item writes."""
