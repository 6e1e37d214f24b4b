#!/usr/bin/env python3
"""What one store takes and answers: a fleet's minutes at the same moment, bytes of a row, a day of one service, the fleet's top.

    python3 benches/fleet/run.py --tools DIR [--only write,size,read,percentile] [--sidecars 500]

DIR holds the comparison tool (bench.py) whose server is used here: a PostgreSQL of its own with `fsync` on and
`max_connections = 100`. Builds what it needs. Times of reading are medians of five, everything in memory, as the role
`pgvitals_reader` and through psql.
"""
from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = ("write", "size", "read", "percentile")
SETTINGS = {"fsync": "on", "autovacuum": "on", "shared_buffers": "2GB", "max_wal_size": "4GB"}
# One service: so many instances of so many statements, each a row a minute of ten buckets.
PODS, SERIES = 10, 200


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default=os.environ.get("BENCH_TOOLS", ROOT.parent / "shared/tools/bench"), type=Path)
    parser.add_argument("--pgvitals", default=ROOT / "target/release/pgvitals", type=Path)
    parser.add_argument("--only", default=",".join(CASES), help="of " + ", ".join(CASES))
    parser.add_argument("--sidecars", type=int, default=500)
    parser.add_argument("--minutes", type=int, default=3, help="that they write")
    parser.add_argument("--services", type=int, default=50, help="of the fleet whose top is asked for")
    a = parser.parse_args()
    if unknown := set(a.only.split(",")) - set(CASES):
        parser.error(f"--only {','.join(sorted(unknown))}: of {', '.join(CASES)}")
    if not (a.tools / "server.py").exists():
        parser.error(f"no comparison tool in {a.tools}: name its directory with --tools")
    if not a.pgvitals.exists():
        parser.error(f"no {a.pgvitals}: run cargo build --release")
    return a


def main() -> None:
    a = arguments()
    sys.path.insert(0, str(a.tools))
    sys.stdout.reconfigure(line_buffering=True)
    os.umask(0o022)
    from server import Server

    with Server(1, 100, SETTINGS) as server:
        cases = {"write": write, "size": size, "read": read, "percentile": percentile}
        for name in a.only.split(","):
            database(server, a.pgvitals, name)
            cases[name](server, a)


def url(server, name: str) -> str:
    return f"postgres://postgres@127.0.0.1:{server.port}/{name}"


def database(server, pgvitals: Path, name: str) -> None:
    server.sql(f"create database {name}")
    if name != "percentile":
        run(str(pgvitals), "migrate", "--store", url(server, name))


def run(*command: str, **more) -> str:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **more)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def sidecars(server, name: str, *more: str) -> str:
    return run("cargo", "bench", "--quiet", "--bench", "fleet", "--", "--store", url(server, name), *more)


def psql(server, name: str, text: str, role: str = "postgres") -> str:
    from server import pg_program

    environment = server.env(server.port) | {"PGDATABASE": name, "PGUSER": role}
    return run(pg_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", input=text, env=environment)


def write(server, a) -> None:
    print(sidecars(server, "write", "--sidecars", str(a.sidecars), "--minutes", str(a.minutes)))
    print(psql(server, "write", """select 'rows ' || count(*) || ' of ' || count(distinct instance_id) || ' instances, buckets a row '
        || round(avg(cardinality(buckets_us)), 1) from pgvitals.query_stats"""))


def size(server, a) -> None:
    """A day's partition after minutes of sidecars that are of one fleet, and of one alone."""
    for count, minutes in ((100, 20), (1, 200)):
        psql(server, "size", "truncate pgvitals.query_stats")
        sidecars(server, "size", "--sidecars", str(count), "--minutes", str(minutes), "--executions", "10", "--interval", "1")
        print(f"{count} sidecars:", psql(server, "size", """select round(sum(pg_total_relation_size(inhrelid)) /
            (select count(*) from pgvitals.query_stats), 1) || ' bytes a row, of which '
            || round(sum(pg_relation_size(inhrelid)) / (select count(*) from pgvitals.query_stats), 1) || ' in the heap; '
            || (select round(avg(cardinality(buckets_us)), 1) from pgvitals.query_stats) || ' buckets a row'
            from pg_inherits where inhparent = 'pgvitals.query_stats'::regclass"""))


def read(server, a) -> None:
    psql(server, "read", (HERE / "day.sql").read_text().replace(":pods", str(PODS)).replace(":series", str(SERIES)))
    day = "date_trunc('day', now(), 'UTC') + interval '1 day'"
    whole = f"{day}, {day} + interval '24 hours'"
    took = timed(server, "read", f"select count(*) from pgvitals.latency({whole}, interval '1 minute', 'h1', service => 'service-1')")
    print(f"one statement's P95 per minute, {PODS} pods, 24 h, from minutes: {took:.0f} ms")
    took = timed(server, "read", f"select count(*) from pgvitals.top_statements({whole}, 50, service => 'service-1')")
    print(f"top 50 of one service over 24 h, from minutes: {took:.0f} ms")
    hours = [f"select pgvitals.roll_up_hour({day} + interval '{hour} hours')" for hour in range(24)]
    print(f"rolling up an hour of one service: {timed(server, 'read', *hours, role='postgres'):.0f} ms")
    psql(server, "read", (HERE / "services.sql").read_text().replace(":services", str(a.services)))
    took = timed(server, "read", f"select count(*) from pgvitals.top_statements({whole}, 50, service => 'service-1')")
    print(f"top 50 of one service over 24 h, from hours: {took:.0f} ms")
    took = timed(server, "read", f"select count(*) from pgvitals.top_statements({whole}, 50)")
    print(f"top 50 of {a.services} services over 24 h, from hours: {took:.0f} ms")
    late = f"{day} + interval '30 minutes', {day} + interval '23 hours 50 minutes'"
    took = timed(server, "read", f"select count(*) from pgvitals.top_statements({late}, 50, service => 'service-1')")
    print(f"top 50 of one service, from hours with half an hour and 50 minutes of minutes: {took:.0f} ms")


def timed(server, name: str, *statements: str, role: str = "pgvitals_reader") -> float:
    """Median milliseconds; one statement is run five times in one session after once for the caches."""
    from server import pg_program

    texts = statements if len(statements) > 1 else statements * 6
    script = "\\timing on\n" + "\n".join(text + ";" for text in texts)
    environment = server.env(server.port) | {"PGDATABASE": name, "PGUSER": role}
    said = run(pg_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", input=script, env=environment)
    times = [float(found) for found in re.findall(r"^Time: ([\d.]+) ms", said, re.M)]
    return statistics.median(times if len(statements) > 1 else times[1:])


def percentile(server, a) -> None:
    print(run("bash", str(HERE / "percentile.sh"), url(server, "percentile"), env=os.environ | {"PGVITALS": str(a.pgvitals)}))


if __name__ == "__main__":
    main()
