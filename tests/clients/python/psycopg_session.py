"""psycopg 3: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it."""

import datetime
import hashlib
import logging
import threading
import uuid

import psycopg
from psycopg.rows import dict_row

# Whether it warns that it left a pipeline in its failed state depends on when the answer arrives.
logging.disable(logging.WARNING)

print("version", psycopg.__version__, "with libpq", psycopg.pq.version())


def attempt(what, action):
    try:
        print(what, action())
    except psycopg.Error as error:
        print(what, type(error).__name__, error.sqlstate, str(error).splitlines())


with psycopg.connect("", autocommit=True) as connection:
    connection.add_notice_handler(lambda notice: print("notice", notice.severity, notice.message_primary))
    execute = connection.execute
    execute("create table t (id int primary key, body text, at timestamptz default '2020-01-01')")

    # Prepared by the driver from the fifth run on.
    for i in range(12):
        execute("insert into t (id, body) values (%s, %s)", (i, f"body {i}"))
    print(execute("select id, body, at from t order by id").fetchall())
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.executemany("insert into t (id, body) values (%s, %s) returning id", [(i, "many") for i in range(20, 40)], returning=True)
        ids = []
        while True:
            ids += [row["id"] for row in cursor.fetchall()]
            if not cursor.nextset():
                break
        print(ids)
    with psycopg.ClientCursor(connection) as cursor:
        print(cursor.execute("select %s, %s; select 2", ("it's", None)).fetchall(), cursor.nextset(), cursor.fetchall())

    with connection.pipeline() as pipeline:
        cursors = [connection.execute("select %s::int / %s::int", (10, divisor)) for divisor in range(1, 8)]
        pipeline.sync()
        print([cursor.fetchone() for cursor in cursors])
    # One with an error in the middle; which call raises it depends on when the answer arrives.
    try:
        with connection.pipeline():
            for sql in ("select 'before'", "select 1 / 0", "select 'skipped'"):
                connection.execute(sql)
    except psycopg.Error as error:
        print("pipeline", error.sqlstate, error)
    print(execute("select 'alive'").fetchone())

    with connection.transaction():
        attempt("inner", lambda: connection.transaction().__enter__().connection.execute("select 1").fetchone())
    attempt("duplicate", lambda: execute("insert into t (id) values (1)"))
    attempt("syntax", lambda: execute("selec"))

    with connection.cursor() as cursor:
        with cursor.copy("copy t (id, body) from stdin") as copy:
            for i in range(1000, 3000):
                copy.write_row((i, "copied\tüml€ut"))
        print("copied", cursor.rowcount)


def bad_copy():
    with psycopg.connect("") as connection, connection.cursor() as cursor, cursor.copy("copy t (id) from stdin") as copy:
        copy.write("x\n")


attempt("bad copy", bad_copy)

with psycopg.connect("", autocommit=True) as connection:
    connection.add_notice_handler(lambda notice: print("notice", notice.severity, notice.message_primary))
    with connection.cursor() as cursor:
        with cursor.copy("copy (select id, body from t order by id) to stdout (format binary)") as copy:
            print("out", sum(len(bytes(block)) for block in copy))

    with connection.transaction():
        with connection.cursor(name="server_side") as cursor:
            cursor.itersize = 300
            print(sum(row[0] for row in cursor.execute("select id from t")))
    with connection.cursor() as cursor:
        print(sum(row[0] for row in cursor.stream("select id from t where id < 100")))

    connection.execute("do $$ begin raise warning 'careful'; end $$")
    connection.execute("listen channel")
    connection.execute("notify channel, 'payload'")
    print([(note.channel, note.payload) for note in connection.notifies(timeout=30, stop_after=1)])

    cancelled = threading.Event()
    connection.add_notice_handler(lambda notice: cancelled.is_set() or (cancelled.set(), connection.cancel_safe()))
    # Its context says whether the cancellation came before the sleep began: that depends on the moment.
    try:
        connection.execute("do $$ begin raise notice 'go'; perform pg_sleep(600); end $$")
    except psycopg.Error as error:
        print("cancelled", error.sqlstate, error.diag.message_primary)
    print(connection.execute("select 'alive'").fetchone())

    # Large objects, by the functions that libpq calls for them.
    with connection.transaction():
        (oid,) = connection.execute("select lo_from_bytea(4242, %s)", (bytes(range(256)) * 400,)).fetchone()
        (number,) = connection.execute("select lo_open(%s, 262144)", (oid,)).fetchone()
        blob = connection.execute("select loread(%s, 200000)", (number,)).fetchone()[0]
        print("large object", oid, len(blob), hashlib.md5(blob).hexdigest())
        connection.execute("select lo_unlink(%s)", (oid,))

    # Binary in both directions.
    with connection.cursor(binary=True) as cursor:
        row = (7, 3.5, b"\0\xff", [1, 2, 3], datetime.date(2020, 2, 29), uuid.UUID(int=42))
        cursor.execute("select %b::int8, %b::float8, %b::bytea, %b::int[], %b::date, %b::uuid", row)
        print(cursor.fetchone())

    connection.execute("create table counted (id int primary key)")
    for i in range(100):
        connection.execute("insert into counted (id) values (%s)", (i,))
    print("counted", connection.execute("select count(*), sum(id) from counted").fetchone())
print("done")
