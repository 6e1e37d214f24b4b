// Knex over node-postgres: what its user sees of a session.

const { settings, installed, version } = require("./settings.js");
const knex = installed("knex");

const MIGRATIONS = {
  books: {
    up: (db) => db.schema.createTable("books", (table) => { table.integer("id").primary(); table.string("title"); }),
    down: (db) => db.schema.dropTable("books"),
  },
  counted: {
    up: (db) => db.schema.createTable("counted", (table) => table.integer("id").primary()),
    down: (db) => db.schema.dropTable("counted"),
  },
};
const migrationSource = {
  getMigrations: async () => Object.keys(MIGRATIONS),
  getMigrationName: (name) => name,
  getMigration: async (name) => MIGRATIONS[name],
};

async function main() {
  console.log("version", version("knex"));
  const db = knex({ client: "pg", connection: settings, pool: { min: 0, max: 2 } });
  console.log(await db.migrate.latest({ migrationSource }));
  await db.batchInsert("books", Array.from({ length: 1000 }, (_, id) => ({ id, title: `title ${id}` })), 100);
  await db.transaction(async (outer) => {
    await outer("books").insert({ id: 1000, title: "kept" });
    const inner = await outer.transaction();
    await inner("books").insert({ id: 1001, title: "gone" });
    await inner.rollback();
  });
  await db("books").insert({ id: 1, title: "twice" }).catch((error) => console.log("duplicate", error.code));
  console.log(await db("books").insert({ id: 1, title: "merged" }).onConflict("id").merge().returning("*"));
  console.log(await db("books").where("title", "like", "title 99%").orderBy("id"));
  for (let id = 0; id < 100; id++) await db("counted").insert({ id });
  console.log("counted", await db("counted").count());
  await db.destroy();
  console.log("done");
}

main();
