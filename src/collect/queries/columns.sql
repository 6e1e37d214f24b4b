-- Columns of tables that are large enough for an estimate, with their statistics as far as the role may read them.
-- $1: a schema to leave out. PostgreSQL 13 and later.
with known as materialized (
    select s.schemaname, s.tablename, s.attname, s.avg_width, s.null_frac, s.n_distinct
    from pg_stats s
    where not s.inherited and s.schemaname not in ('pg_catalog', 'information_schema', $1)
)
select c.oid, a.attnum::integer as number, a.attlen::integer as length, a.attalign::text as alignment,
    a.attstorage::text as storage, a.attisdropped as is_dropped, a.atttypid = 'name'::regtype as is_name,
    a.atttypid = 'bpchar'::regtype and a.atttypmod > 4 as is_padded,
    s.avg_width, s.null_frac::double precision, s.n_distinct::double precision,
    a.attisdropped
        or (has_column_privilege(c.oid, a.attnum, 'select') and not (c.relrowsecurity and row_security_active(c.oid)))
        as is_readable
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
left join known s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname
where c.relkind in ('r', 'm') and c.relpersistence <> 't' and c.relpages >= 8
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', $1) and n.nspname !~ '^pg_(toast_)?temp_'
order by c.oid, a.attnum
