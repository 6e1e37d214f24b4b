// node-postgres: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.

const { createHash } = require("node:crypto");
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");
const { settings, installed, version } = require("./settings.js");
const { Client, Pool, Query } = installed("pg");
const Cursor = installed("pg-cursor");
const copy = installed("pg-copy-streams");

async function attempt(what, action) {
  try {
    console.log(what, await action());
  } catch (error) {
    console.log(what, error.code, error.severity, error.message, error.position);
  }
}

async function session(client) {
  client.on("notice", (notice) => console.log("notice", notice.severity, notice.message));
  await client.query("create table t (id int primary key, body text, document jsonb)");
  for (let i = 0; i < 20; i++) {
    await client.query("insert into t values ($1, $2, $3)", [i, `body ${i}`, { i }]);
  }
  console.log((await client.query("select * from t order by id")).rows);
  for (let i = 0; i < 5; i++) {
    const named = { name: "by id", text: "select body from t where id = $1", values: [i] };
    console.log((await client.query(named)).rows);
  }
  // Queued by the driver without waiting for one another.
  console.log((await Promise.all([1, 2, 3].map((i) => client.query("select $1::int as i", [i])))).map((r) => r.rows));
  console.log((await client.query("select 1 as a; select 2 as b; update t set body = 'x' where id < 3")).map((r) => [r.command, r.rowCount, r.rows]));
  await attempt("division", () => client.query("select 1 / 0"));
  await attempt("duplicate", () => client.query("insert into t (id) values ($1)", [1]));
  await attempt("syntax", () => client.query("selec"));
  await client.query("begin");
  await attempt("in a transaction", () => client.query("select broken"));
  await attempt("behind it", () => client.query("select 1"));
  await client.query("rollback");

  const parts = new Query({ text: "select id from t order by id", values: [], rows: 7 });
  const rows = [];
  await new Promise((resolve, reject) => {
    parts.on("row", (row) => rows.push(row.id));
    parts.on("end", resolve);
    parts.on("error", reject);
    client.query(parts);
  });
  console.log(rows);

  await client.query("do $$ begin raise notice 'careful'; end $$");
  const noted = new Promise((resolve) => client.on("notification", (note) => resolve([note.channel, note.payload])));
  await client.query("listen channel");
  await client.query("notify channel, 'payload'");
  console.log(await noted);

  const cursor = client.query(new Cursor("select id from t order by id"));
  console.log((await cursor.read(4)).length, (await cursor.read(100)).length);
  await cursor.close();

  const lines = Array.from({ length: 3000 }, (_, i) => `${1000 + i}\tcopied\n`);
  await pipeline(Readable.from(lines), client.query(copy.from("copy t (id, body) from stdin")));
  const hash = createHash("md5");
  await pipeline(client.query(copy.to("copy (select * from t order by id) to stdout")), hash);
  console.log("copied", hash.digest("hex"));
  await attempt("bad copy", () => pipeline(Readable.from(["x\n"]), client.query(copy.from("copy t (id) from stdin"))));

  await client.query("create table counted (id int primary key)");
  for (let i = 0; i < 100; i++) {
    await client.query("insert into counted (id) values ($1)", [i]);
  }
  console.log("counted", (await client.query("select count(*), sum(id) from counted")).rows);
}

async function main() {
  console.log("version", version("pg"));
  const client = new Client(settings);
  await client.connect();
  await session(client);
  await client.end();
  const pool = new Pool({ ...settings, max: 3 });
  const results = await Promise.all(Array.from({ length: 30 }, (_, i) => pool.query("select $1::int as i", [i])));
  console.log(results.map((result) => result.rows[0].i));
  await pool.end();
  console.log("done");
}

main();
