"""Answers whether it is there, and with the tenant's plan; what it keeps is in the database."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The port is the task definition's.
_PORT = int(os.environ.get("PORT", "8080"))


class Shop(BaseHTTPRequestHandler):
    """`/health` for the load balancer, everything else for people."""

    def do_GET(self) -> None:
        told = {"plan": os.environ.get("PLAN", ""), "licensed": bool(os.environ.get("LICENSE"))}
        body = b"ok" if self.path == "/health" else json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", _PORT), Shop).serve_forever()  # the load balancer's security group alone reaches it
