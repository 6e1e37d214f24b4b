// postgres (porsager): what its user sees of a session.

const { createHash } = require("node:crypto");
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");
const { settings, installed, version } = require("./settings.js");
const postgres = installed("postgres");

async function attempt(what, action) {
  try {
    console.log(what, await action());
  } catch (error) {
    console.log(what, error.code, error.severity, error.message, error.position);
  }
}

async function main() {
  console.log("version", version("postgres"));
  const { user: username, ...rest } = settings;
  const sql = postgres({ ...rest, username, max: 1, onnotice: (n) => console.log("notice", n.severity, n.message) });
  await sql`create table t (id int primary key, body text, document jsonb)`;
  await sql`insert into t ${sql(Array.from({ length: 50 }, (_, i) => ({ id: i, body: `body ${i}`, document: { i } })))}`;
  console.log([...(await sql`select * from t where id in ${sql([1, 2, 3])} order by id`)]);
  // Sent together on one connection, without waiting for one another.
  console.log((await Promise.all([1, 2, 3].map((i) => sql`select ${i}::int as i`))).map((rows) => rows[0].i));
  console.log((await sql.unsafe("select 1 as a; select 2 as b")).map((rows) => rows[0]));
  for (let i = 0; i < 5; i++) console.log((await sql`select body from t where id = ${i}`)[0].body);
  await attempt("division", () => sql`select 1 / 0`);
  await attempt("duplicate", () => sql`insert into t (id) values (1)`);
  await attempt("syntax", () => sql.unsafe("selec"));
  await attempt("transaction", () =>
    sql.begin(async (sql) => {
      await sql`insert into t (id) values (5000)`;
      await sql.savepoint((sql) => sql`select 1 / 0`).catch((error) => console.log("savepoint", error.code));
      console.log("inside", (await sql`select count(*)::int as n from t`)[0].n);
      // The server counts no SELECT whose portal is open when its transaction fails: this closes it.
      await sql`update t set body = 'gone' where id = 1`;
      await sql`select broken`;
    }),
  );
  const parts = [];
  await sql`select id from t order by id`.cursor(7, (rows) => parts.push(rows.length));
  console.log("cursor", parts);
  await sql`do $$ begin raise notice 'careful'; end $$`;

  const lines = Array.from({ length: 3000 }, (_, i) => `${1000 + i}\tcopied\n`);
  await pipeline(Readable.from(lines), await sql`copy t (id, body) from stdin`.writable());
  const hash = createHash("md5");
  // This driver's connection is of no further use behind a COPY out.
  const reader = postgres({ ...rest, username, max: 1 });
  await pipeline(await reader`copy (select * from t order by id) to stdout`.readable(), hash);
  await reader.end({ timeout: 0 });
  console.log("copied", hash.digest("hex"));

  let told;
  const note = new Promise((resolve) => (told = resolve));
  const { unlisten } = await sql.listen("channel", told);
  await sql.notify("channel", "payload");
  console.log("notification", await note);
  await unlisten();

  const running = sql`select pg_sleep(600)`;
  const ended = running.then(() => "not cancelled", (error) => `${error.code} ${error.message}`);
  const active = "select count(*)::int as n from pg_stat_activity where query like '%sleep(600)%' and wait_event = 'PgSleep'";
  const watcher = postgres({ ...rest, username, max: 1 });
  while ((await watcher.unsafe(active))[0].n === 0);
  running.cancel();
  console.log("cancelled", await ended);
  await watcher.end();

  await sql`create table counted (id int primary key)`;
  for (let i = 0; i < 100; i++) await sql`insert into counted (id) values (${i})`;
  console.log("counted", (await sql`select count(*)::int as count, sum(id)::int as sum from counted`)[0]);
  await sql.end();
  console.log("done");
}

main();
