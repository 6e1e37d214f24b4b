// Drizzle over node-postgres: what its user sees of a session.

const { settings, installed, version } = require("./settings.js");
const { Pool } = installed("pg");
const { drizzle } = installed("drizzle-orm/node-postgres");
const { pgTable, integer, text, jsonb, timestamp } = installed("drizzle-orm/pg-core");
const { eq, gt, sql, count, desc } = installed("drizzle-orm");

const authors = pgTable("authors", { id: integer().primaryKey(), name: text().notNull(), extra: jsonb() });
const books = pgTable("books", {
  id: integer().primaryKey(),
  author: integer().references(() => authors.id),
  title: text(),
  at: timestamp({ mode: "string" }),
});
const counted = pgTable("counted", { id: integer().primaryKey() });

async function main() {
  console.log("version", version("drizzle-orm"));
  const pool = new Pool({ ...settings, max: 1 });
  const db = drizzle({ client: pool });
  await db.execute(sql`create table authors (id int primary key, name text not null, extra jsonb)`);
  await db.execute(sql`create table books (id int primary key, author int references authors, title text, at timestamp)`);
  await db.execute(sql`create table counted (id int primary key)`);
  console.log(await db.insert(authors).values([1, 2, 3].map((id) => ({ id, name: `author ${id}`, extra: { id } }))).returning());
  const titles = Array.from({ length: 30 }, (_, id) => ({ id, author: 1 + (id % 3), title: `title ${id}`, at: "2020-02-29 12:00:00" }));
  await db.insert(books).values(titles);
  const joined = db.select({ name: authors.name, books: count(books.id) }).from(authors);
  console.log(await joined.leftJoin(books, eq(books.author, authors.id)).groupBy(authors.name).orderBy(desc(authors.name)));
  const byId = db.select().from(books).where(eq(books.id, sql.placeholder("id"))).prepare("by_id");
  for (let id = 0; id < 4; id++) console.log(await byId.execute({ id }));
  console.log(await db.update(books).set({ title: "changed" }).where(gt(books.id, 27)).returning({ id: books.id }));
  try {
    await db.transaction(async (tx) => {
      await tx.insert(authors).values({ id: 4, name: "gone" });
      await tx.transaction((inner) => inner.execute(sql`select 1 / 0`)).catch((error) => console.log("inner", error.cause.code));
      await tx.insert(authors).values({ id: 1, name: "twice" });
    });
  } catch (error) {
    console.log("rolled back", error.cause.code, error.cause.message);
  }
  console.log(await db.select({ authors: count() }).from(authors));
  for (let id = 0; id < 100; id++) await db.insert(counted).values({ id });
  console.log("counted", await db.select({ count: count() }).from(counted));
  await pool.end();
  console.log("done");
}

main();
