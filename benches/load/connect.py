"""New connections: pgbench -C, a connection for each statement."""
from __future__ import annotations

import re
import subprocess

from rounds import compare, table
from server import Server, pg_program


def measure(server: Server, makers: dict, rounds: int, seconds: int) -> None:
    def run(port: int) -> float:
        command = [pg_program("pgbench"), "-n", "-S", "-C", "-c", "8", "-j", "2", "-T", str(seconds)]
        done = subprocess.run(command, env=server.env(port), check=True, capture_output=True, text=True)
        return float(re.search(r"actually processed: (\d+)", done.stdout).group(1))

    figures = compare(makers, rounds, run, server.port)
    table("A connection for each statement (pgbench -C, 8 clients)", figures, "connections/s", 1, "CPU µs each", 1e6)
