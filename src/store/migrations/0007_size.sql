-- How large all of it is. Whoever does the hourly work weighs it and notes it here; each writer compares it with its own
-- store.max_size before it writes.
alter table {schema}.meta add column size_bytes bigint;
alter table {schema}.meta add column weighed_at timestamptz;

-- Weighs tables, indexes and TOAST, and says how far ahead each table has partitions, the least of all.
create function {schema}.weigh()
    returns table (bytes bigint, ahead interval)
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
begin
    bytes := (
        select coalesce(sum(pg_total_relation_size(c.oid)), 0)
        from pg_class c
        where c.relnamespace = '{schema_name}'::regnamespace and c.relkind in ('r', 'm')
    );
    ahead := (
        select min(last.until) - clock_timestamp()
        from (
            select max(e.until) as until
            from {schema}.partitioned(null, null, null, null, null) k
            cross join lateral {schema}.partitions(k.parent) e
            group by k.parent
        ) last
    );
    -- A fleet comes once an hour, each of it: one row less to be vacuumed where nothing has changed.
    update {schema}.meta m
    set size_bytes = bytes, weighed_at = clock_timestamp()
    where m.size_bytes is distinct from bytes;
    return next;
end
$$;
