"""psycopg 3 and asyncpg: values in text and binary. Where to connect to stands in the environment, as libpq wants it."""

import asyncio
import datetime
import uuid
from decimal import Decimal

import asyncpg
import psycopg
from psycopg.types.json import Jsonb

MOMENT = datetime.datetime(2024, 2, 29, 12, 34, 56, 1, tzinfo=datetime.timezone.utc)
IDENTITY = uuid.UUID("123e4567-e89b-12d3-a456-426614174000")

with psycopg.connect("", autocommit=True) as connection:
    connection.execute(
        "select %t::int4, %t::text, %t::bool, %t::numeric, %t::date, %t::int4[], %t::text as psycopg_text",
        (42, "it's \"quoted\"", True, Decimal("12.50"), MOMENT.date(), [1, 2], None),
    )
    connection.execute(
        "select %b::int8, %b::float8, %b::text, %b::bytea, %b::uuid, %b::timestamptz, %b::date, %b::time, "
        "%b::numeric, %b::jsonb, %b::int4[], %b::text[] as psycopg_binary",
        (
            1 << 40, 0.1, "héllo", b"\x00\xff", IDENTITY, MOMENT, MOMENT.date(), MOMENT.time(),
            Decimal("-12345.678"), Jsonb({"a": [1, None]}), [1, None, 3], ["x", "y"],
        ),
    )
    try:
        connection.execute("select 1 / %t::int4 as psycopg_error", (0,))
    except psycopg.errors.DivisionByZero:
        pass
    try:
        connection.execute("select %t::int4 as psycopg_bind", ("forty-two",))
    except psycopg.errors.InvalidTextRepresentation:
        pass
    connection.execute("select length(%t) as psycopg_long", ("x" * 100_000,))


async def session():
    connection = await asyncpg.connect(ssl=False)
    await connection.fetch(
        "select $1::int4, $2::text, $3::numeric, $4::timestamptz, $5::text[], $6::uuid, $7::jsonb, $8::int2, "
        "$9::bool, $10::float4, $11::point as asyncpg",
        7, "seven", Decimal("0.00012"), MOMENT, ["a", None], IDENTITY, '{"b": 2}', -3, False, 0.5,
        asyncpg.Point(0, 0),
    )
    await connection.close()


asyncio.run(session())
print("done")
