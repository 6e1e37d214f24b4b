// Where the drivers lie, and how they connect: host, user and so on stand in the environment, as libpq wants them.

const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const { PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLROOTCERT } = process.env;
const host = { host: PGHOST, port: Number(PGPORT), database: PGDATABASE, user: PGUSER, password: PGPASSWORD };
// A certificate that the authority signed, whatever it is called: libpq's `verify-ca`.
const ssl = PGSSLROOTCERT ? { ca: readFileSync(PGSSLROOTCERT, "utf8"), checkServerIdentity: () => undefined } : false;

exports.settings = { ...host, ssl };
const modules = process.env.PGVITALS_NODE_MODULES;
exports.installed = createRequire(modules + "/");
exports.version = (name) => JSON.parse(readFileSync(`${modules}/${name}/package.json`, "utf8")).version;
