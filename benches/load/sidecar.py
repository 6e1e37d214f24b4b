#!/usr/bin/env python3
"""What a sidecar takes under an everyday load, with a store and a look at the server: the figures of docs/kubernetes.md.

    python3 benches/load/sidecar.py --tools DIR [--pgvitals FILE] [--rate 500] [--statements 1000] [--seconds 60] [--clients 10]
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import options


def arguments() -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument("--rate", type=int, default=500, help="statements a second")
    parser.add_argument("--statements", type=int, default=1000, help="of different texts")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=10)
    a = options.read(parser)
    return a


def main() -> None:
    a = arguments()
    sys.path.insert(0, str(a.tools))
    sys.stdout.reconfigure(line_buffering=True)
    from candidate import Candidate, cpu_seconds, rss_mib
    from server import Server, pg_program

    with Server(1, 100, {}) as server, tempfile.TemporaryDirectory() as directory:
        server.sql("create database monitoring")
        store = f"postgres://postgres@127.0.0.1:{server.port}"
        run = f"{a.pgvitals} run --listen {{listen}} --upstream {{upstream}} --http {{http}} --store {store}/monitoring --monitor-url {store}/postgres"
        sidecar = Candidate("pgvitals", run, server)
        try:
            before, idle = cpu_seconds(sidecar.pid), rss_mib(sidecar.pid)
            # Each transaction is one statement of these texts.
            files = []
            for number in range(a.statements):
                file = Path(directory, f"{number}.sql")
                file.write_text(f"\\set aid random(1, 100000)\nselect abalance as of_{chr(97 + number % 26)}{number} from pgbench_accounts where aid = :aid;\n")
                files.append(file)
            # pgbench takes 128 scripts at a time.
            groups = [files[at:at + 120] for at in range(0, len(files), 120)]
            for group in groups:
                command = [pg_program("pgbench"), "-n", "-M", "extended", "-c", str(a.clients), "-R", str(a.rate), "-T", str(max(1, a.seconds // len(groups)))]
                for file in group:
                    command += ["-f", str(file)]
                subprocess.run(command, env=server.env(sidecar.port), check=True, capture_output=True)
            used, after = cpu_seconds(sidecar.pid) - before, rss_mib(sidecar.pid)
            seconds = max(1, a.seconds // len(groups)) * len(groups)
            print(f"{a.rate} statements a second of {a.statements} texts by {a.clients} clients, {seconds} s, with a store:")
            print(f"  memory {idle:.1f} MiB at the start, {after:.1f} MiB behind it; CPU {used / seconds * 1000:.1f} thousandths of a core, {used / seconds / a.rate * 1e6:.1f} us a statement")
        finally:
            sidecar.stop()


if __name__ == "__main__":
    main()
