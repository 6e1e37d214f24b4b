-- What was made up, to be looked at: `pgvitals demo` plays a month back (docs/demo.md). Its server and its instances are
-- marked; nobody judges such a server, reports of it or tells of it.
alter table {schema}.servers add column is_demo boolean not null default false;
alter table {schema}.instances add column is_demo boolean not null default false;

-- Makes the partitions of a time that is over, as far back as each table is kept by default. Minutes have theirs: what is
-- older than these is written to the hours. Says how many.
create function {schema}.make_room(back interval)
    returns integer
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
    kind record;
    span record;
    made integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('{schema}' || 'maintain'), 0);
    for kind in
        select k.*
        from {schema}.partitioned(
            interval '2 days', interval '60 days', interval '2 years', interval '14 days', interval '60 days'
        ) k
        where k.parent not in ('query_stats', 'batches')
    loop
        for span in
            select p as since, p + ('1 ' || kind.unit)::interval as until,
                kind.parent || to_char(p, case kind.unit when 'day' then '_YYYYMMDD' else '_YYYYMM' end) as name
            from generate_series(
                date_trunc(kind.unit, clock_timestamp() - least(kind.keep, back)), clock_timestamp(),
                ('1 ' || kind.unit)::interval
            ) p
            where not exists (select from {schema}.partitions(kind.parent) e where p >= e.since and p < e.until)
        loop
            perform {schema}.make_partition(kind.parent, span.name, span.since, span.until);
            made := made + 1;
        end loop;
    end loop;
    perform {schema}.note_kept();
    return made;
end
$$;

-- Removes all that is known of made-up servers; says how many there were.
create function {schema}.forget_demo()
    returns bigint
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp
as $$
declare
    ids constant integer[] := array(select v.server_id from {schema}.servers v where v.is_demo);
    names constant text[] := array(select v.server from {schema}.servers v where v.is_demo);
    lives constant integer[] := array(select i.instance_id from {schema}.instances i where i.is_demo);
    users constant integer[] := array(select distinct i.service_id from {schema}.instances i where i.is_demo);
    lines constant bigint[] := array(select s.series_id from {schema}.series s where s.server = any (names));
    hashes constant text[] := array(select distinct s.query_hash from {schema}.series s where s.server = any (names));
    parent text;
begin
    foreach parent in array array['query_stats', 'query_stats_hour', 'query_stats_day', 'errors', 'idle_after'] loop
        execute format('delete from %I.%I where series_id = any ($1)', '{schema_name}', parent) using lines;
    end loop;
    foreach parent in array array['tag_stats', 'session_stats', 'batches', 'conditions'] loop
        execute format('delete from %I.%I where instance_id = any ($1)', '{schema_name}', parent) using lives;
    end loop;
    foreach parent in array array[
        'index_samples', 'table_samples', 'database_samples', 'server_samples', 'index_definitions', 'table_definitions'
    ] loop
        execute format('delete from %I.%I where server_id = any ($1)', '{schema_name}', parent) using ids;
    end loop;
    foreach parent in array array['slow_statements', 'alerts', 'silences', 'reports', 'job_runs', 'leases', 'series'] loop
        execute format('delete from %I.%I where server = any ($1)', '{schema_name}', parent) using names;
    end loop;
    delete from {schema}.queries q
    where q.query_hash = any (hashes) and not exists (select from {schema}.series s where s.query_hash = q.query_hash);
    delete from {schema}.instances i where i.instance_id = any (lives);
    delete from {schema}.services v
    where v.service_id = any (users) and not exists (select from {schema}.instances i where i.service_id = v.service_id);
    delete from {schema}.servers v where v.server_id = any (ids);
    return cardinality(ids);
end
$$;

-- Says when statements of made-up servers were seen first, where that is earlier than they were written; how many.
create function {schema}.date_demo(hashes text[], at timestamptz[])
    returns bigint
    language sql
    security definer set search_path = pg_catalog, pg_temp
as $$
    with dated as (
        update {schema}.queries q
        set first_seen = d.at
        from unnest(hashes, at) d (hash, at)
        where q.query_hash = d.hash and d.at < q.first_seen and exists (
            select from {schema}.series s join {schema}.servers v on v.server = s.server
            where s.query_hash = d.hash and v.is_demo
        )
        returning 1
    )
    select count(*) from dated
$$;
