#!/usr/bin/env python3
"""What a proxy costs beyond point selects: COPY, new connections, TLS, system calls, idle connections.

    python3 benches/load/run.py --tools DIR [--only copy,connect,tls,calls,idle] [--rounds 3]

DIR holds the comparison tool (bench.py) whose server, peers and forwarder are used here in the same manner: every round visits
all candidates in turn, each figure is the median over rounds, CPU is of the candidate's whole process tree. What is missing on the
machine (HAProxy, PgBouncer, strace, a pgbench of 17 or later for direct TLS) is left out with a line.
"""
from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
from contextlib import ExitStack
from functools import partial

import options

CASES = ("copy", "connect", "tls", "calls", "idle")


def arguments() -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument("--only", default=",".join(CASES), help="of " + ", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of one run of pgbench")
    parser.add_argument("--megabytes", type=int, default=1024, help="that are copied out, and in")
    parser.add_argument("--idle", type=int, default=10_000, help="connections")
    parser.add_argument("--one-cpu", action="store_true", help="keep client, candidate and server on one CPU")
    a = options.read(parser)
    if unknown := set(a.only.split(",")) - set(CASES):
        parser.error(f"--only {','.join(sorted(unknown))}: of {', '.join(CASES)}")
    return a


def allowed(connections: int) -> int:
    """Raises the limit of open files; a proxy needs two for each connection."""
    wanted = 2 * connections + 200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return connections
        except (ValueError, PermissionError):
            connections = (hard - 200) // 2
            print(f"open files are limited to {hard}: {connections} idle connections instead of {(wanted - 200) // 2}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return connections


def main() -> None:
    a = arguments()
    sys.path.insert(0, str(a.tools))
    sys.stdout.reconfigure(line_buffering=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    os.umask(0o022)
    a.idle = allowed(a.idle)
    if a.one_cpu:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    import calls
    import connect
    import copying
    import idle
    import tls
    from candidate import Candidate, forwarder_command, peer_program, start_peer
    from server import Server

    run = f"{a.pgvitals} run --listen {{listen}} --upstream {{upstream}} --http {{http}}"
    with ExitStack() as stack:
        server = stack.enter_context(Server(5, 600, {}))
        makers = {"forwarder": partial(Candidate, "forwarder", forwarder_command(), server)}
        for name in ("haproxy", "pgbouncer"):
            if program := peer_program(name):
                makers[name] = partial(start_peer, name, program, server)
            else:
                print(f"{name} is not installed: left out")
        makers["pgvitals"] = partial(Candidate, "pgvitals", run, server)
        cases = {
            "copy": lambda: copying.measure(server, makers, a.rounds, a.megabytes),
            "connect": lambda: connect.measure(server, makers, a.rounds, a.seconds),
            "tls": lambda: tls.measure(server, run, a.rounds, a.seconds),
            "calls": lambda: calls.measure(server, run),
            "idle": lambda: idle.measure(server, makers, a.idle),
        }
        for name in a.only.split(","):
            cases[name]()


if __name__ == "__main__":
    main()
