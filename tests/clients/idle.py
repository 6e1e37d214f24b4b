"""A server that lets everybody in, and a client that opens as many idle sessions as it is told to ("PORT COUNT")."""

import resource
import socket
import sys
import threading

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
WELCOME = b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x02Z\0\0\0\x05I"
STARTUP = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0"
kept = []

listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)


def serve():
    while True:
        peer = listener.accept()[0]
        if peer.recv(1024):
            peer.sendall(WELCOME)
        kept.append(peer)


threading.Thread(target=serve, daemon=True).start()
for line in sys.stdin:
    port, count = map(int, line.split())
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(STARTUP)
        seen = b""
        while len(seen) < len(WELCOME):
            seen += client.recv(1024)
        kept.append(client)
    print("open", flush=True)
