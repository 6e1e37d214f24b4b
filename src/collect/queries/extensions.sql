-- Extensions that help, and where they are. PostgreSQL 13 and later.
select e.extname::text as name, quote_ident(n.nspname) as schema, e.extversion as version
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where e.extname in ('pg_stat_statements', 'pgstattuple')
