"""psycopg: 1 GB by COPY into the server and out of it, with checksums."""

import hashlib

import psycopg

BLOCK = 1 << 20
BLOCKS = 1024
# Lines of 1,024 bytes.
LINE = (b"0123456789abcdef" * 64)[:1023] + b"\n"

print("version", psycopg.__version__)
with psycopg.connect("", autocommit=True) as connection, connection.cursor() as cursor:
    cursor.execute("create unlogged table t (line text)")
    sent, received, length = hashlib.sha256(), hashlib.sha256(), 0
    with cursor.copy("copy t from stdin") as copy:
        for number in range(BLOCKS):
            block = (b"%08d" % number + LINE[8:]) * (BLOCK // len(LINE))
            sent.update(block)
            copy.write(block)
    print("in", cursor.rowcount)
    with cursor.copy("copy t to stdout") as copy:
        for block in copy:
            received.update(block)
            length += len(block)
    print("out", cursor.rowcount, length, received.hexdigest() == sent.hexdigest(), received.hexdigest())
    cursor.execute("drop table t")

    cursor.execute("create table counted (id int primary key)")
    for i in range(100):
        cursor.execute("insert into counted (id) values (%s)", (i,))
    print("counted", cursor.execute("select count(*), sum(id) from counted").fetchone())
print("done")
