"""TLS on the client leg, beside HAProxy terminating TLS in the same place. HAProxy knows no SSLRequest, so both are met by
direct negotiation (libpq 17 and later)."""
from __future__ import annotations

import glob
import os
import re
import subprocess
from functools import partial
from pathlib import Path

from candidate import Candidate, peer_program
from rounds import compare, table
from server import Server

CLIENTS = Path(__file__).resolve().parent.parent.parent / ".cache/clients"

HAPROXY = """
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen postgres
    bind {listen} ssl crt {dir}/pem alpn postgresql
    server one {upstream}
"""


def direct_pgbench() -> str | None:
    """A pgbench whose libpq can begin with TLS."""
    homes = [os.environ.get("PGBIN", ""), *glob.glob("/usr/lib/postgresql/*/bin"), *glob.glob(f"{CLIENTS}/**/bin", recursive=True)]
    for program in (f"{home}/pgbench" for home in homes if os.path.exists(f"{home}/pgbench")):
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if (major := re.search(r"\) (\d+)", version)) and int(major.group(1)) >= 17:
            return program
    return None


def measure(server: Server, run: str, rounds: int, seconds: int) -> None:
    haproxy, pgbench = peer_program("haproxy"), direct_pgbench()
    if not (haproxy and pgbench):
        print("\nTLS needs HAProxy and a pgbench of 17 or later (in PGBIN, Debian's packages or .cache/clients): left out")
        return
    key, cert = (os.path.join(server.dir, name) for name in ("tls.key", "tls.crt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-days", "2", "-keyout", key, "-out", cert], check=True, capture_output=True)
    pem = Path(cert).read_text() + Path(key).read_text()
    makers = {
        "haproxy": partial(Candidate, "haproxy", f"{haproxy} -f {{dir}}/cfg", server, {"cfg": HAPROXY, "pem": pem}),
        "pgvitals": partial(Candidate, "pgvitals", f"{run} --tls-client require --tls-cert {cert} --tls-key {key}", server),
    }
    for clients in (1, 32):
        def load(port: int) -> float:
            command = [pgbench, "-n", "-S", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds)]
            env = server.env(port) | {"PGSSLMODE": "require", "PGSSLNEGOTIATION": "direct"}
            done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
            return float(re.search(r"actually processed: (\d+)", done.stdout).group(1))

        table(f"TLS 1.3 on the client leg, prepared, {clients} client{'s' if clients > 1 else ''}", compare(makers, rounds, load),
              "tps", 1, "CPU µs/query", 1e6, floor="haproxy")
