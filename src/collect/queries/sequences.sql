-- Sequences, with the column that takes their values: owned by it (a, or i of an identity) or named in its default.
-- $1: a schema to leave out. PostgreSQL 13 and later. What an unlogged one holds can't be asked of a standby.
with busy as materialized (
    select l.relation
    from pg_locks l
    where l.locktype = 'relation' and l.mode in ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
),
taker as materialized (
    select d.objid as sequence, d.refobjid as relation, d.refobjsubid as number, d.deptype = 'i' as is_identity
    from pg_depend d
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
        and d.deptype in ('a', 'i')
    union
    select d.refobjid, v.adrelid, v.adnum, false
    from pg_depend d
    join pg_attrdef v on v.oid = d.objid
    where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'n'
),
-- Of several columns the narrowest is full first.
narrowest as materialized (
    select distinct on (k.sequence) k.sequence, k.is_identity, n.nspname::text as schema, t.relname::text as "table",
        a.attname::text as "column", format_type(a.atttypid, a.atttypmod) as data_type,
        case coalesce(nullif(y.typbasetype, 0), y.oid)
            when 'smallint'::regtype then 32767 when 'integer'::regtype then 2147483647
            else 9223372036854775807
        end as most
    from taker k
    join pg_class t on t.oid = k.relation
    join pg_namespace n on n.oid = t.relnamespace
    join pg_attribute a on a.attrelid = k.relation and a.attnum = k.number and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    order by k.sequence, most, k.is_identity desc, k.relation
)
select c.oid, n.nspname::text as schema, c.relname::text as name, q.seqstart as start, q.seqincrement as increment,
    q.seqcycle as is_cycle,
    case when q.seqincrement > 0 then least(q.seqmax, coalesce(w.most, q.seqmax))
        else greatest(q.seqmin, -coalesce(w.most, 9223372036854775807) - 1) end as "limit",
    case when q.seqincrement > 0 then q.seqmin else q.seqmax end as first,
    has_sequence_privilege(c.oid, 'select, usage') as is_readable,
    case
        when c.oid in (select relation from busy) or (pg_is_in_recovery() and c.relpersistence <> 'p') then null
        when has_sequence_privilege(c.oid, 'select, usage') then pg_sequence_last_value(c.oid)
    end as last_value,
    w.schema as table_schema, w."table", w."column", w.data_type, coalesce(w.is_identity, false) as is_identity
from pg_sequence q
join pg_class c on c.oid = q.seqrelid
join pg_namespace n on n.oid = c.relnamespace
left join narrowest w on w.sequence = c.oid
where c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema', $1)
    and not exists (
        select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
