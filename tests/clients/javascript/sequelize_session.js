// Sequelize over node-postgres: what its user sees of a session.

const { settings, installed, version } = require("./settings.js");
const { Sequelize, DataTypes } = installed("sequelize");

async function main() {
  console.log("version", version("sequelize"));
  const { host, port, database, user, password, ssl } = settings;
  const sequelize = new Sequelize(database, user, password, {
    dialect: "postgres", host, port, dialectOptions: { ssl }, logging: false, pool: { max: 2 },
  });
  const plain = { timestamps: false, freezeTableName: true };
  const id = { type: DataTypes.INTEGER, primaryKey: true };
  const Author = sequelize.define("authors", { id, name: DataTypes.STRING, tags: DataTypes.ARRAY(DataTypes.STRING) }, plain);
  const Book = sequelize.define("books", { id, title: DataTypes.STRING, extra: DataTypes.JSONB }, plain);
  const Counted = sequelize.define("counted", { id }, plain);
  Author.hasMany(Book);
  Book.belongsTo(Author);
  await sequelize.sync({ force: true });
  await sequelize.transaction(async (transaction) => {
    const author = await Author.create({ id: 1, name: "o'ne", tags: ["a", 'b"'] }, { transaction });
    const books = Array.from({ length: 200 }, (_, id) => ({ id, title: `title ${id}`, extra: { id }, authorId: author.id }));
    await Book.bulkCreate(books, { transaction });
  });
  const failed = sequelize.transaction(async (transaction) => {
    await Author.create({ id: 2, name: "gone" }, { transaction });
    await sequelize.query("select 1 / 0", { transaction });
  });
  await failed.catch((error) => console.log("rolled back", error.original.code));
  console.log(await Author.findOrCreate({ where: { id: 3 }, defaults: { name: "three" } }).then(([, made]) => made));
  const [rows] = await sequelize.query("select * from books where id < $1 order by id", { bind: [5] });
  console.log(rows);
  console.log((await Author.findAll({ include: Book, order: ["id"] })).map((author) => [author.name, author.books.length]));
  const [, changed] = await Book.update({ title: "changed" }, { where: { id: [1, 2] }, returning: true });
  console.log(changed.map((book) => book.get()));
  for (let id = 0; id < 100; id++) await Counted.create({ id });
  console.log("counted", await Counted.count());
  await sequelize.close();
  console.log("done");
}

main();
