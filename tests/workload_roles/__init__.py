"""The table of what the roles of workload accounts must be able to do, and must not."""
