"""pg8000, a driver in Python alone: what its user sees of a session."""

import io
import os
import ssl

import pg8000
import pg8000.native

print("version", pg8000.__version__)


def attempt(what, action):
    try:
        print(what, action())
    except pg8000.native.DatabaseError as error:
        said = error.args[0]
        print(what, said["S"], said["C"], said["M"])


context = None
if authority := os.environ.get("PGSSLROOTCERT"):
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
connection = pg8000.native.Connection(
    os.environ["PGUSER"],
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    database=os.environ["PGDATABASE"],
    password=os.environ.get("PGPASSWORD"),
    ssl_context=context,
)
run = connection.run
run("create table t (id int primary key, body text, numbers int[])")
for i in range(50):
    run("insert into t values (:id, :body, :numbers)", id=i, body=f"body {i}", numbers=[i, i + 1])
print(run("select * from t where id < :limit order by id", limit=5))
print([(column["name"], column["type_oid"]) for column in connection.columns])
statement = connection.prepare("select body from t where id = :id")
print([statement.run(id=i) for i in range(5)])
statement.close()
attempt("division", lambda: run("select 1 / 0"))
attempt("duplicate", lambda: run("insert into t values (1)"))
attempt("syntax", lambda: run("selec"))
run("start transaction")
attempt("in a transaction", lambda: run("select broken"))
attempt("behind it", lambda: run("select 1"))
run("rollback")
run("copy t (id, body) from stdin", stream=io.BytesIO(b"".join(b"%d\tcopied\n" % i for i in range(1000, 4000))))
out = io.BytesIO()
run("copy (select * from t order by id) to stdout", stream=out)
print("copied", connection.row_count, len(out.getvalue()))
attempt("bad copy", lambda: run("copy t (id) from stdin", stream=io.BytesIO(b"x\n")))
run("do $$ begin raise notice 'careful'; end $$")
print([notice[b"M"] for notice in connection.notices])
run("listen channel")
run("notify channel, 'payload'")
run("select 1")
print([note[1:] for note in connection.notifications])

run("create table counted (id int primary key)")
for i in range(100):
    run("insert into counted (id) values (:id)", id=i)
print("counted", run("select count(*), sum(id) from counted"))
connection.close()
print("done")
