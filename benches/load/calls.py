"""System calls per query, by strace."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time

from candidate import Candidate
from server import Server, pg_program

QUERIES = 5000


def measure(server: Server, run: str) -> None:
    if not shutil.which("strace"):
        print("\nstrace is not installed: system calls are not counted")
        return
    counts = os.path.join(server.dir, "calls")
    candidate = Candidate("pgvitals", run, server)
    try:
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", counts, "-p", str(candidate.pid)], stderr=subprocess.PIPE)
        tracer.stderr.readline()  # attached
        time.sleep(0.5)
        command = [pg_program("pgbench"), "-n", "-S", "-M", "prepared", "-c", "1", "-t", str(QUERIES)]
        subprocess.run(command, env=server.env(candidate.port), check=True, capture_output=True)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    finally:
        candidate.stop()
    with open(counts) as f:
        found = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", f.read(), re.M)
    calls = {name: int(count) for count, name in found if name != "total"}
    print(f"\nSystem calls per query, prepared, 1 client, {QUERIES} queries: {sum(calls.values()) / QUERIES:.2f}")
    for name, count in sorted(calls.items(), key=lambda call: -call[1])[:5]:
        print(f"  {name:16}{count / QUERIES:>8.3f}")
