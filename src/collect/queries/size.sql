-- A database's size: every file is looked at, which can take long. $1: its oid. PostgreSQL 13 and later.
select pg_database_size($1::oid) as size_bytes
