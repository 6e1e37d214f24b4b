#!/usr/bin/env python3
"""What knowing one's statements costs, and where: in the server by pg_stat_statements or by logging every statement, beside it by
pgvitals.

    python3 benches/load/server_side.py --tools DIR [--rounds 5] [--seconds 3] [--clients 1,8] [--one-cpu]

Point selects, the worst case. Every way has a server of its own, alike but for the one setting; every round visits all of them in
turn; figures are medians over rounds. CPU is of PostgreSQL's processes and of pgvitals' apart: the first is paid on the database's
machine, the second on the application's.
"""
from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from statistics import median

import options


WAYS = {  # settings of the server
    "nothing": {},
    "pg_stat_statements": {"shared_preload_libraries": "pg_stat_statements"},
    "every statement logged": {"log_min_duration_statement": "0"},
    "pgvitals": {},
}


def arguments() -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one run of pgbench")
    parser.add_argument("--clients", default="1,8")
    parser.add_argument("--one-cpu", action="store_true", help="keep clients, pgvitals and servers on one CPU")
    a = options.read(parser)
    return a


def main() -> None:
    a = arguments()
    sys.path.insert(0, str(a.tools))
    sys.stdout.reconfigure(line_buffering=True)
    if a.one_cpu:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from candidate import Candidate, cpu_seconds
    from load import Cell, run_pgbench
    from server import Server

    with ExitStack() as stack:
        servers = {}
        for way, settings in WAYS.items():
            servers[way] = server = stack.enter_context(Server(1, 100, settings))
            if "shared_preload_libraries" in settings:
                server.sql("create extension pg_stat_statements")
        run = f"{a.pgvitals} run --listen {{listen}} --upstream {{upstream}} --http {{http}}"
        proxy = Candidate("pgvitals", run, servers["pgvitals"])
        stack.callback(proxy.stop)
        ways = list(WAYS)
        for protocol in ("simple", "prepared"):
            for clients in map(int, a.clients.split(",")):
                seen: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
                for n in range(a.rounds):
                    first = n % len(ways)
                    for way in ways[first:] + ways[:first]:
                        server = servers[way]
                        port = proxy.port if way == "pgvitals" else server.port
                        beside = (lambda: cpu_seconds(proxy.pid)) if way == "pgvitals" else (lambda: 0.0)
                        inside, outside = cpu_seconds(server.pid), beside()
                        sample = run_pgbench(server, port, Cell("point", protocol, clients), a.seconds)
                        server.wait_for_sessions_to_end()
                        inside, outside = cpu_seconds(server.pid) - inside, beside() - outside
                        seen[way].append((sample.tps, inside / sample.transactions * 1e6, outside / sample.transactions * 1e6))
                show(f"{protocol}, {clients} client{'s' if clients > 1 else ''}", seen)


def show(title: str, seen: dict[str, list[tuple[float, float, float]]]) -> None:
    print(f"\n{title}\n  {'':24}{'statements/s':>14}{'of nothing':>12}{'server CPU µs':>15}{'added':>8}{'beside it µs':>14}")
    middle = {way: tuple(median(column) for column in zip(*rounds)) for way, rounds in seen.items()}
    base = middle["nothing"]
    for way, (tps, server, beside) in middle.items():
        print(f"  {way:24}{tps:>14.0f}{tps / base[0]:>12.2f}{server:>15.1f}{server - base[1]:>8.1f}{beside:>14.1f}")


if __name__ == "__main__":
    main()
