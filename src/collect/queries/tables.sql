-- Users' tables and materialised views, one row each; of partitioned ones the topmost parent (sums are made elsewhere) and
-- the leaves. $1: a schema to leave out. PostgreSQL 13 and later.
with busy as materialized (
    -- Who asks for the size of such a relation waits.
    select l.relation
    from pg_locks l
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
),
extension as materialized (
    select e.objid from pg_depend e where e.classid = 'pg_class'::regclass and e.deptype = 'e'
),
page as (
    select current_setting('block_size')::bigint as bytes
)
select c.oid, nullif(case when c.relispartition then pg_partition_root(c.oid)::oid end, c.oid) as root,
    n.nspname::text as schema, c.relname::text as "table", c.relkind = 'p' as is_partitioned,
    c.relkind = 'm' as is_materialized_view, c.relpersistence = 'u' as is_unlogged,
    coalesce(c.reloptions, '{}')
        || array(select 'toast.' || o from unnest(t.reloptions) o) as options,
    coalesce((select (regexp_match(o, '^fillfactor=(\d+)$'))[1]::integer from unnest(c.reloptions) o
        where o ~ '^fillfactor=\d+$'), 100) as fillfactor,
    s.n_live_tup as live, s.n_dead_tup as dead, s.n_mod_since_analyze as modified, s.n_ins_since_vacuum as inserted_since,
    s.n_tup_ins as inserted, s.n_tup_upd as updated, s.n_tup_hot_upd as hot_updated, s.n_tup_del as deleted,
    s.seq_scan as sequential_scans, c.reltuples::double precision as tuples, c.relpages as known_pages,
    c.relallvisible as all_visible_pages, coalesce(t.relpages - t.relallvisible, 0) as unseen_toast_pages, size.main, size.main + size.other as heap_bytes,
    case
        when c.reltoastrelid = 0 then 0
        when c.reltoastrelid in (select relation from busy) or c.oid in (select relation from busy)
            then t.relpages * (select bytes from page)
        else coalesce(pg_total_relation_size(c.reltoastrelid), 0)
    end as toast_bytes,
    coalesce(t.relpages, 0) > 0
        or (c.reltoastrelid <> 0 and c.reltoastrelid not in (select relation from busy)
            and coalesce(pg_relation_size(c.reltoastrelid), 0) > 0) as has_toasted,
    (extract(epoch from s.last_vacuum) * 1000000)::bigint as last_vacuum,
    (extract(epoch from s.last_autovacuum) * 1000000)::bigint as last_autovacuum,
    (extract(epoch from s.last_analyze) * 1000000)::bigint as last_analyze,
    (extract(epoch from s.last_autoanalyze) * 1000000)::bigint as last_autoanalyze,
    greatest(age(nullif(c.relfrozenxid::text, '0')::xid), age(nullif(t.relfrozenxid::text, '0')::xid))::bigint as xid_age,
    greatest(mxid_age(nullif(c.relminmxid::text, '0')::xid), mxid_age(nullif(t.relminmxid::text, '0')::xid))::bigint
        as multixact_age
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_class t on t.oid = c.reltoastrelid
left join pg_stat_all_tables s on s.relid = c.oid
cross join lateral (
    select case
            when c.relkind = 'p' then 0
            when c.oid in (select relation from busy) then c.relpages * (select bytes from page)
            else coalesce(pg_relation_size(c.oid), 0)
        end as main,
        case
            when c.relkind = 'p' or c.oid in (select relation from busy) then 0
            else coalesce(pg_relation_size(c.oid, 'fsm') + pg_relation_size(c.oid, 'vm'), 0)
        end as other
) size
where c.relkind in ('r', 'm', 'p') and c.relpersistence <> 't' and not (c.relkind = 'p' and c.relispartition)
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', $1) and n.nspname !~ '^pg_(toast_)?temp_'
    and c.oid not in (select objid from extension)
