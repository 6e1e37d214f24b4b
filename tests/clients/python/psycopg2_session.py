"""psycopg 2: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it."""

import io
import select

import psycopg2
import psycopg2.extras

print("version", psycopg2.__version__.split()[0], "with libpq", psycopg2.extensions.libpq_version())


def attempt(what, action):
    try:
        print(what, action())
    except psycopg2.Error as error:
        print(what, type(error).__name__, error.pgcode, str(error).splitlines())


connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def run(sql, values=None):
    cursor.execute(sql, values)
    return cursor.fetchall() if cursor.description else cursor.statusmessage


print(run("create table t (id int primary key, body text)"))
psycopg2.extras.execute_values(cursor, "insert into t values %s", [(i, f"body {i}") for i in range(200)], page_size=50)
print(run("select * from t where id < %s order by id", (5,)))
print(run("select 1; select %s", ("it's",)))
attempt("division", lambda: run("select 1 / 0"))
attempt("duplicate", lambda: run("insert into t values (1)"))
attempt("syntax", lambda: run("selec"))
run("do $$ begin raise notice 'careful'; end $$")
print(connection.notices)

copied = io.StringIO("".join(f"{i}\tcopied\n" for i in range(1000, 4000)))
cursor.copy_expert("copy t from stdin", copied)
out = io.StringIO()
cursor.copy_expert("copy (select * from t order by id) to stdout", out)
print("copied", cursor.rowcount, len(out.getvalue()))
attempt("bad copy", lambda: cursor.copy_expert("copy t from stdin", io.StringIO("x\n")))

run("listen channel")
run("notify channel, 'payload'")
while not connection.notifies:
    select.select([connection], [], [], 30)
    connection.poll()
print([(note.channel, note.payload) for note in connection.notifies])

# A transaction with a cursor of the server, and large objects by libpq's function calls.
connection.autocommit = False
with connection, connection.cursor("server_side") as named:
    named.itersize = 100
    named.execute("select id from t order by id")
    print("server side", sum(row[0] for row in named))
with connection:
    large = connection.lobject(0, "wb", 4242)
    large.write(bytes(range(256)) * 1000)
    large.seek(1000)
    large.close()
    print("large object", len(connection.lobject(4242, "rb").read()))
    connection.lobject(4242).unlink()
# Two phases.
connection.tpc_begin(connection.xid(7, "global", "branch"))
run("insert into t values (9000, 'two phases')")
connection.tpc_prepare()
connection.tpc_rollback()
connection.autocommit = True
print(run("select count(*) from t where id = 9000"))

run("create table counted (id int primary key)")
for i in range(100):
    run("insert into counted (id) values (%s)", (i,))
print("counted", run("select count(*), sum(id) from counted"))
connection.close()
print("done")
