"""SQLAlchemy over psycopg, over asyncpg and over psycopg 2: what its user sees of a session."""

import asyncio
import os
import ssl

import sqlalchemy
from sqlalchemy import ForeignKey, String, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

print("version", sqlalchemy.__version__)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    extra: Mapped[dict] = mapped_column(JSONB)
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def attempt(what, session, action):
    try:
        print(what, action())
    except sqlalchemy.exc.DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        print(what, type(error).__name__, code)
        session.rollback()


def work(session):
    session.add_all(
        Author(id=i, name=f"author {i}", extra={"i": i}, books=[Book(title=f"{i}.{j}", tags=["a", str(j)]) for j in range(5)])
        for i in range(20)
    )
    session.commit()
    loaded = session.scalars(select(Author).options(selectinload(Author.books)).where(Author.id < 3).order_by(Author.id))
    print([(author.name, author.extra, [(book.title, book.tags) for book in author.books]) for author in loaded])
    counts = select(Author.name, func.count(Book.id)).join(Book).group_by(Author.name).order_by(Author.name).limit(4)
    print(session.execute(counts).all())
    upsert = insert(Author).values(id=1, name="author 1", extra={})
    session.execute(upsert.on_conflict_do_update(index_elements=["id"], set_={"name": "renamed"}))
    with session.begin_nested() as savepoint:
        session.execute(text("insert into authors values (99, 'gone', '{}')"))
        savepoint.rollback()
    session.commit()
    print(session.scalar(select(Author.name).where(Author.id == 1)), session.scalar(select(func.count()).select_from(Author)))
    attempt("duplicate", session, lambda: session.execute(text("insert into authors values (1, 'x', '{}')")))
    attempt("division", session, lambda: session.execute(text("select 1 / 0")))
    streamed = session.execute(select(Book.id).order_by(Book.id).execution_options(yield_per=7))
    print("streamed", sum(streamed.scalars()))
    session.commit()


def count(session, first):
    session.execute(text("create table if not exists counted (id int primary key)"))
    for i in range(first, first + 25):
        session.execute(text("insert into counted (id) values (:id)"), {"id": i})
    session.commit()


for first, driver in ((0, "psycopg"), (25, "psycopg2")):
    engine = create_engine(f"postgresql+{driver}://", pool_pre_ping=True)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    print(driver, sorted(sqlalchemy.inspect(engine).get_table_names()))
    with Session(engine) as session:
        work(session)
        count(session, first)
    engine.dispose()


async def with_asyncpg():
    host = {name.removeprefix("PG").lower(): os.environ[name] for name in ("PGHOST", "PGPORT", "PGDATABASE")}
    context = None
    if authority := os.environ.get("PGSSLROOTCERT"):
        context = ssl.create_default_context(cafile=authority)
        context.check_hostname = False
    url = sqlalchemy.URL.create(
        "postgresql+asyncpg", os.environ["PGUSER"], os.environ.get("PGPASSWORD"), host["host"], int(host["port"]), host["database"]
    )
    engine = create_async_engine(url, connect_args={"ssl": context} if context else {})
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        await session.run_sync(work)
        await session.run_sync(count, 50)
        await session.run_sync(count, 75)
        print("counted", (await session.execute(text("select count(*), sum(id) from counted"))).all())
    await engine.dispose()


asyncio.run(with_asyncpg())
print("done")
