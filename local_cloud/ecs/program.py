"""What a task runs whose image no setting names: it answers every HTTP request with its image and its task.

Run as a script by a bare Python, so it imports next to nothing: there may be hundreds.
"""

import os
import socket


def main() -> None:
    """Answer on the port in PORT until the process is ended."""
    text = f"image: {os.environ['IMAGE']}\ntask: {os.environ['TASK']}\n".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                try:
                    _read(connection)
                    connection.sendall(head.encode() + text)
                except OSError:
                    continue


def _read(connection: socket.socket) -> None:
    """The head of a request, and no more: what is left unread would be answered with a reset."""
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
        received += more


if __name__ == "__main__":
    main()
