"""What people see: tables, bars, plain lines and JSON."""
