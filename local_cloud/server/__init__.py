"""The server: ministack, started in-process with our services, IAM enforced, on one port of 127.0.0.1."""
