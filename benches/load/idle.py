"""Idle connections: that they are held, and what each costs. The server is a few lines here: ten thousand real backends need more
memory than most machines have."""
from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from contextlib import ExitStack

from candidate import rss_mib
from load import LoadError, hold_idle
from server import Server, free_port, wait_for_port

GREETING = b"R\0\0\0\x08\0\0\0\0" + b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02" + b"Z\0\0\0\x05I"


def greet(port: int) -> None:
    """Answers each start-up packet on `port`, for as long as this process lives; in one of its own, which has its own descriptors."""
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(4096)
            writer.write(GREETING)
            await reader.read()
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(session, "127.0.0.1", port, backlog=4096) as listener:
            await listener.serve_forever()

    multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(serve()), daemon=True).start()
    wait_for_port(port)


def measure(server: Server, makers: dict, connections: int) -> None:
    print(f"\nIdle connections, without TLS: {connections} of them\n  {'':12}{'KiB each':>10}")
    real, server.port = server.port, free_port()
    greet(server.port)
    try:
        for name in (name for name in ("forwarder", "pgvitals") if name in makers):
            with ExitStack() as stack:
                candidate = makers[name]()
                stack.callback(candidate.stop)
                empty = rss_mib(candidate.pid)
                try:
                    hold_idle(candidate.port, connections, stack)
                    print(f"  {name:12}{(rss_mib(candidate.pid) - empty) * 1024 / connections:>10.2f}")
                except LoadError as error:
                    print(f"  {name:12}{error}")
    finally:
        server.port = real
