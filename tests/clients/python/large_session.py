"""libpq, with psycopg around it: as many parameters as there can be, a statement and a value of 64 MB."""

import hashlib

import psycopg
from psycopg import pq

print("version", pq.version(), "with psycopg", psycopg.__version__)
with psycopg.connect("", autocommit=True) as connection:
    numbers = ["%d" % i for i in range(65535)]
    sql = "select " + " + ".join("$%d::int8" % (i + 1) for i in range(0, 65535, 100)) + ", $65535::int, count(*) from (values "
    sql += ", ".join("($%d::int)" % (i + 1) for i in range(65535)) + ") v"
    result = connection.pgconn.exec_params(sql.encode(), [number.encode() for number in numbers])
    print("parameters", pq.ExecStatus(result.status).name, [result.get_value(0, column) for column in range(3)])
    result = connection.pgconn.exec_params(b"select 1", [b"1"] * 65535)
    print("too many for the statement", pq.ExecStatus(result.status).name, result.error_message.decode().splitlines()[0])

    text = "x" * (64 << 20)
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute("select length(%s), md5(%s) = %s", (text, text[:10], hashlib.md5(text[:10].encode()).hexdigest()))
        print("64 MB", cursor.fetchone())
    row = connection.execute("select repeat('y', 64 << 20)").fetchone()[0]
    print("64 MB back", len(row), hashlib.md5(row.encode()).hexdigest())

    connection.execute("create table counted (id int primary key)")
    for i in range(100):
        connection.pgconn.exec_params(b"insert into counted (id) values ($1)", [b"%d" % i])
    print("counted", connection.execute("select count(*), sum(id) from counted").fetchone())
print("done")
