-- Indexes of users' tables; of partitioned ones the topmost parent (sums are made elsewhere) and the leaves. $1: a schema
-- to leave out. PostgreSQL 13 and later; NULLS NOT DISTINCT since 15 and last_idx_scan since 16 are asked of the row as
-- JSON. pg_get_indexdef() waits for whoever has the table for himself: then the statement is NULL, and all that hangs on it.
-- The predicate is taken from the statement: pg_get_expr() would wait as well.
with busy as materialized (
    select l.relation, l.mode
    from pg_locks l
    where l.locktype = 'relation' and l.mode in ('AccessExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock')
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
),
locked as materialized (
    select relation from busy where mode = 'AccessExclusiveLock'
),
building as materialized (
    select p.index_relid from pg_stat_progress_create_index p where p.index_relid <> 0
),
extension as materialized (
    select e.objid from pg_depend e where e.classid = 'pg_class'::regclass and e.deptype = 'e'
),
made_by as materialized (
    select k.conindid, k.conrelid, min(k.conname) as name
    from pg_constraint k
    where k.contype in ('p', 'u', 'x') and k.conindid <> 0
    group by 1, 2
),
referenced as materialized (
    select k.conindid, array_agg(distinct k.conname::text) as names
    from pg_constraint k
    where k.contype = 'f'
    group by 1
),
collects as (
    select pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all,
        current_setting('block_size')::bigint as page
)
select i.indexrelid as oid, i.indrelid as "table",
    nullif(case when c.relispartition then pg_partition_root(c.oid)::oid end, c.oid) as root, n.nspname::text as schema,
    t.relname::text as table_name, c.relname::text as name, c.relkind = 'I' as is_partitioned, m.amname::text as method,
    case when i.indrelid not in (select relation from locked) then pg_get_indexdef(i.indexrelid) end as statement, i.indisunique as is_unique, i.indisprimary as is_primary,
    i.indisexclusion as is_exclusion, not i.indimmediate as is_deferrable, i.indisvalid as is_valid, i.indisready as is_ready,
    i.indisclustered as is_clustered,
    i.indisreplident or (t.relreplident = 'd' and i.indisprimary) as is_replica_identity,
    i.indisunique and coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as is_nulls_not_distinct,
    i.indexrelid in (select index_relid from building)
        or (not (select sees_all from collects) and not i.indisvalid
            and i.indrelid in (select relation from busy where mode <> 'AccessExclusiveLock')) as is_building,
    made_by.name::text as "constraint", coalesce(referenced.names, '{}') as referenced_by,
    array(
        select k.conname::text
        from pg_constraint k
        where k.conrelid = i.indrelid and k.contype = 'f' and cardinality(k.conkey) <= i.indnkeyatts
            and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
        order by 1
    ) as foreign_keys,
    key.texts, key.numbers, key.opclasses, key.collations, key.options, key.can_deduplicate,
    array(
        select pg_get_indexdef(i.indexrelid, k, true)
        from generate_series(
            i.indnkeyatts + 1, case when i.indrelid not in (select relation from locked) then i.indnatts else 0 end
        ) k
        order by k
    ) as include,
    (i.indkey::smallint[])[i.indnkeyatts:i.indnatts - 1]::integer[] as include_numbers,
    i.indpred is not null as is_partial,
    coalesce((select (regexp_match(o, '^fillfactor=(\d+)$'))[1]::integer from unnest(c.reloptions) o
        where o ~ '^fillfactor=\d+$'), case m.amname when 'btree' then 90 else 100 end) as fillfactor,
    not coalesce(c.reloptions @> array['deduplicate_items=off'], false) as deduplicates,
    case
        when c.relkind = 'I' then 0
        when c.oid in (select relation from locked)
            then c.relpages * (select page from collects)
        else coalesce(pg_relation_size(c.oid), 0)
    end as size_bytes,
    s.idx_scan as scans, s.idx_tup_read as tuples_read, s.idx_tup_fetch as tuples_fetched,
    (extract(epoch from (to_jsonb(s) ->> 'last_idx_scan')::timestamptz) * 1000000)::bigint as last_scan
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_am m on m.oid = c.relam
left join pg_stat_all_indexes s on s.indexrelid = i.indexrelid
left join made_by on made_by.conindid = i.indexrelid and made_by.conrelid = i.indrelid
left join referenced on referenced.conindid = i.indexrelid
cross join lateral (
    select array_agg(pg_get_indexdef(i.indexrelid, k, true) order by k) as texts,
        array_agg(i.indkey[k - 1]::integer order by k) as numbers,
        array_agg(concat(quote_ident(opn.nspname), '.', quote_ident(op.opcname), ' ' || a.attoptions::text) order by k)
            as opclasses,
        array_agg(coalesce(quote_ident(con.nspname) || '.' || quote_ident(co.collname), '') order by k) as collations,
        array_agg(i.indoption[k - 1]::integer order by k) as options,
        bool_and(coalesce(co.collisdeterministic, true) and exists (
            select from pg_amproc p
            where p.amprocfamily = op.opcfamily and p.amproclefttype = op.opcintype
                and p.amprocrighttype = op.opcintype and p.amprocnum = 4
        )) as can_deduplicate
    from generate_series(
        1, case when i.indrelid not in (select relation from locked) then i.indnkeyatts::integer else 0 end
    ) k
    join pg_opclass op on op.oid = i.indclass[k - 1]
    join pg_namespace opn on opn.oid = op.opcnamespace
    join pg_attribute a on a.attrelid = i.indexrelid and a.attnum = k
    left join pg_collation co on co.oid = i.indcollation[k - 1]
    left join pg_namespace con on con.oid = co.collnamespace
) key
where t.relkind in ('r', 'm', 'p') and t.relpersistence <> 't' and not (c.relkind = 'I' and c.relispartition)
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', $1) and n.nspname !~ '^pg_(toast_)?temp_'
    and i.indrelid not in (select objid from extension) and i.indexrelid not in (select objid from extension)
