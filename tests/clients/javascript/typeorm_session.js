// TypeORM over node-postgres: what its user sees of a session.

const { settings, installed, version } = require("./settings.js");
const { DataSource, EntitySchema } = installed("typeorm");

const id = { type: Number, primary: true };
const Author = new EntitySchema({
  name: "Author",
  columns: { id, name: { type: String, unique: true } },
  relations: { books: { type: "one-to-many", target: "Book", inverseSide: "author" } },
});
const Book = new EntitySchema({
  name: "Book",
  columns: { id, title: { type: String } },
  relations: { author: { type: "many-to-one", target: "Author", inverseSide: "books" } },
});
const Counted = new EntitySchema({ name: "counted", columns: { id } });

class AddNotes1700000000000 {
  name = "AddNotes1700000000000";
  up = (runner) => runner.query("create table notes (id int primary key, body jsonb)");
  down = (runner) => runner.query("drop table notes");
}

async function main() {
  console.log("version", version("typeorm"));
  const { user, ...place } = settings;
  const entities = [Author, Book, Counted];
  const source = new DataSource({
    type: "postgres", ...place, username: user, entities, synchronize: true, migrations: [AddNotes1700000000000], poolSize: 2,
  });
  await source.initialize();
  console.log((await source.runMigrations()).map((migration) => migration.name));
  await source.undoLastMigration();
  await source.transaction("SERIALIZABLE", async (manager) => {
    const author = await manager.save("Author", { id: 1, name: "one" });
    for (let id = 0; id < 20; id++) await manager.save("Book", { id, title: `title ${id}`, author });
  });
  const failed = source.transaction(async (manager) => {
    await manager.save("Author", { id: 2, name: "gone" });
    await manager.transaction((inner) => inner.query("select 1 / 0")).catch((error) => console.log("inner", error.driverError.code));
    await manager.insert("Author", { id: 3, name: "one" });
  });
  await failed.catch((error) => console.log("rolled back", error.driverError.code));
  const many = Array.from({ length: 300 }, (_, index) => ({ id: 100 + index, title: `many ${index}` }));
  await source.createQueryBuilder().insert().into("Book").values(many).execute();
  console.log(await source.getRepository("Author").find({ relations: { books: true }, order: { books: { id: "ASC" } } }));
  console.log(await source.getRepository("Book").count());
  for (let id = 0; id < 100; id++) await source.getRepository("counted").insert({ id });
  console.log("counted", await source.getRepository("counted").count());
  await source.destroy();
  console.log("done");
}

main();
