"""asyncpg: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it."""

import asyncio
import io

import asyncpg


async def attempt(what, action):
    try:
        print(what, await action)
    except asyncpg.PostgresError as error:
        print(what, type(error).__name__, error.sqlstate, error)


async def session(connection):
    connection.add_log_listener(lambda _, message: print("log", message.severity, message.message))
    await connection.execute("create table t (id int primary key, body text, numbers int[], document jsonb)")
    await connection.executemany(
        "insert into t values ($1, $2, $3, $4)", [(i, f"body {i}", [i, i + 1], '{"a": 1}') for i in range(200)]
    )
    rows = await connection.fetch("select * from t where id = any($1) order by id", [1, 2, 3, 999])
    print([tuple(row.values()) for row in rows])
    statement = await connection.prepare("select $1::int + 1 as next")
    print([await statement.fetchval(i) for i in range(10)], statement.get_attributes())
    print(await connection.execute("update t set body = 'x' where id < 10; delete from t where id > 150"))

    async with connection.transaction():
        print([row["id"] async for row in connection.cursor("select id from t order by id", prefetch=20)])
        cursor = await connection.cursor("select id from t order by id")
        print(await cursor.fetch(3), await cursor.forward(5), await cursor.fetchrow())
    await attempt("division", connection.fetchval("select 1 / 0"))
    await attempt("duplicate", connection.execute("insert into t (id) values (1)"))
    await attempt("syntax", connection.fetch("selec"))
    try:
        async with connection.transaction():
            async with connection.transaction():
                await connection.execute("insert into t (id) values (5000)")
            await connection.execute("select broken")
    except asyncpg.PostgresError as error:
        print("rolled back", error.sqlstate)

    print(await connection.copy_records_to_table("t", records=[(i, "copied", None, None) for i in range(6000, 9000)]))
    out = io.BytesIO()
    print(await connection.copy_from_query("select * from t order by id", output=out), len(out.getvalue()))
    await attempt("bad copy", connection.copy_to_table("t", source=io.BytesIO(b"x\n")))

    loop = asyncio.get_running_loop()
    noted = loop.create_future()
    await connection.add_listener("channel", lambda *note: noted.set_result(note[2:]))
    await connection.execute("notify channel, 'payload'")
    print(await asyncio.wait_for(noted, 30))

    # A time limit of the client is a CancelRequest.
    try:
        await connection.fetchval("select pg_sleep(600)", timeout=0.2)
    except TimeoutError:
        print("timed out")
    print(await connection.fetchval("select 'alive'"))

    await connection.execute("create table counted (id int primary key)")
    for i in range(100):
        await connection.execute("insert into counted (id) values ($1)", i)
    print("counted", tuple(await connection.fetchrow("select count(*), sum(id) from counted")))
    await connection.reset()


async def main():
    print("version", asyncpg.__version__)
    connection = await asyncpg.connect()
    await session(connection)
    await connection.close()
    async with asyncpg.create_pool(min_size=3, max_size=3) as pool:
        print(sorted(await asyncio.gather(*(pool.fetchval("select $1::int", i) for i in range(30)))))
    print("done")


asyncio.run(main())
