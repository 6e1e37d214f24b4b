"""libpq, with psycopg around it: protocol 3.2 and its longer cancel keys."""

import threading

import psycopg
from psycopg import pq

print("version", pq.version(), "with psycopg", psycopg.__version__)
RUNNING = "do $$ begin raise notice 'go'; perform pg_sleep(600); end $$"


def cancelled(connection, cancel):
    """Cancels a statement that says that it runs."""
    told = threading.Event()
    connection.add_notice_handler(lambda _: told.is_set() or (told.set(), cancel()))
    try:
        connection.execute(RUNNING)
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary


for versions in ("", "max_protocol_version=3.2", "min_protocol_version=3.2 max_protocol_version=latest"):
    try:
        connection = psycopg.connect(versions, autocommit=True)
    except psycopg.OperationalError as error:
        print(versions, "refused", "protocol" in str(error))
        continue
    with connection:
        print(versions, connection.pgconn.full_protocol_version)
        # By the functions of PostgreSQL 17's libpq, then by the old one.
        print(cancelled(connection, connection.cancel_safe), connection.execute("select 'alive'").fetchone())
    with psycopg.connect(versions, autocommit=True) as connection:
        print(cancelled(connection, lambda: connection.pgconn.get_cancel().cancel()), connection.execute("select 'alive'").fetchone())

with psycopg.connect("", autocommit=True) as connection:
    connection.execute("create table counted (id int primary key)")
    for i in range(100):
        connection.pgconn.exec_params(b"insert into counted (id) values ($1)", [b"%d" % i])
    print("counted", connection.execute("select count(*), sum(id) from counted").fetchone())
print("done")
