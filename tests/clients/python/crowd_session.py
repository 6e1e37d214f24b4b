"""asyncpg: a thousand connections at once, each with statements of its own."""

import asyncio
import resource

import asyncpg

CROWD = 1000
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def main():
    print("version", asyncpg.__version__)
    gate = asyncio.Semaphore(50)

    async def connect():
        async with gate:
            return await asyncpg.connect(timeout=120)

    crowd = await asyncio.gather(*(connect() for _ in range(CROWD)))
    await crowd[0].execute("create table counted (id int primary key)")
    pids = await asyncio.gather(*(connection.fetchval("select pg_backend_pid()") for connection in crowd))
    print("sessions", len(set(pids)))
    inserts = (connection.execute("insert into counted (id) values ($1)", i) for i, connection in enumerate(crowd[:100]))
    await asyncio.gather(*inserts)
    sums = await asyncio.gather(*(connection.fetchval("select $1::int + sum(id) from counted", i) for i, connection in enumerate(crowd)))
    print("sums", sum(sums), sums[0], sums[-1])
    print("counted", tuple(await crowd[-1].fetchrow("select count(*), sum(id) from counted")))
    await asyncio.gather(*(connection.close() for connection in crowd))
    print("done")


asyncio.run(main())
