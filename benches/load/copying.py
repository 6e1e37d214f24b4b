"""COPY out and in, in bytes per second and CPU per byte."""
from __future__ import annotations

import os
import subprocess

from rounds import compare, table
from server import Server, pg_program

ROW = 1000


def measure(server: Server, makers: dict, rounds: int, megabytes: int) -> None:
    rows = megabytes * 1_000_000 // (ROW + 1)
    size = rows * (ROW + 1)
    server.sql("create unlogged table load_sink(line text)")
    source = os.path.join(server.dir, "copy.txt")
    with open(source, "wb") as f:
        line = b"x" * ROW + b"\n"
        for _ in range(rows):
            f.write(line)

    def psql(port: int, text: str, stdin, stdout) -> float:
        subprocess.run([pg_program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-c", text], env=server.env(port), check=True, stdin=stdin, stdout=stdout)
        return size

    def out(port: int) -> float:
        return psql(port, f"copy (select repeat('x', {ROW}) from generate_series(1, {rows})) to stdout", subprocess.DEVNULL, subprocess.DEVNULL)

    def into(port: int) -> float:
        with open(source, "rb") as f:
            psql(port, "copy load_sink from stdin", f, subprocess.DEVNULL)
        server.sql("truncate load_sink")
        return size

    for title, run in (("out", out), ("in", into)):
        figures = compare(makers, rounds, run, server.port)
        table(f"COPY {title}, {size / 1e6:.0f} MB, rows of {ROW} bytes", figures, "MB/s", 1e6, "CPU ms/GB", 1e12)
    os.unlink(source)
    server.sql("drop table load_sink")
