-- What was seen in monitored servers: rounds, hourly at most (docs/design/store.md §2).
--
-- Objects are known by their oids; what they are called and how they are made is told once per change, in a definition.
-- A round has a sample of each object whose figures changed, and the first of a day (UTC) of every object, partitions
-- included; at other rounds these are in their topmost parent's sums alone. Samples are never changed.

-- What was done: a job's slot is done once, because its key is inserted in the transaction of its work.
create table {schema}.job_runs (
    slot timestamptz not null,
    done_at timestamptz not null default clock_timestamp(),
    job text not null,
    server text not null default '',
    rows integer not null default 0,
    primary key (job, server, slot)
) partition by range (slot);

create table {schema}.index_definitions (
    definition_id integer generated always as identity primary key,
    server_id integer not null references {schema}.servers,
    database oid not null,
    relation oid not null,
    table_relation oid not null,
    -- The index at the top, of a partition's.
    root oid,
    since timestamptz not null,
    datname text not null,
    schemaname text not null,
    relname text not null,
    indexrelname text not null,
    is_unique boolean not null,
    is_primary boolean not null,
    is_valid boolean not null,
    enforces boolean not null,
    definition text not null,
    detail jsonb not null,
    -- SHA-256, in hex, of all of it.
    digest text not null,
    unique (server_id, database, relation, digest)
);

create table {schema}.table_definitions (
    definition_id integer generated always as identity primary key,
    server_id integer not null references {schema}.servers,
    database oid not null,
    relation oid not null,
    root oid,
    since timestamptz not null,
    datname text not null,
    schemaname text not null,
    relname text not null,
    detail jsonb not null,
    digest text not null,
    unique (server_id, database, relation, digest)
);

-- `is_gone`: it was there a round before, and is no more.
create table {schema}.index_samples (
    at timestamptz not null,
    scans bigint not null,
    tuples_read bigint not null,
    tuples_fetched bigint not null,
    size_bytes bigint not null,
    wasted_bytes bigint,
    bloat_percent double precision,
    last_scan timestamptz,
    stats_reset timestamptz,
    server_id integer not null,
    database oid not null,
    relation oid not null,
    definition_id integer not null,
    partitions integer not null,
    is_gone boolean not null default false,
    method text,
    withheld text
) partition by range (at);
create index on {schema}.index_samples (server_id, at);
create index on {schema}.index_samples (definition_id, at);

create table {schema}.table_samples (
    at timestamptz not null,
    live_tuples bigint not null,
    dead_tuples bigint not null,
    modified_since_analyze bigint not null,
    inserted_since_vacuum bigint not null,
    inserted bigint not null,
    updated bigint not null,
    hot_updated bigint not null,
    deleted bigint not null,
    sequential_scans bigint not null,
    estimated_tuples double precision,
    heap_bytes bigint not null,
    toast_bytes bigint not null,
    index_bytes bigint not null,
    wasted_bytes bigint,
    bloat_percent double precision,
    xid_age bigint not null,
    multixact_age bigint not null,
    last_vacuum timestamptz,
    last_autovacuum timestamptz,
    last_analyze timestamptz,
    last_autoanalyze timestamptz,
    stats_reset timestamptz,
    server_id integer not null,
    database oid not null,
    relation oid not null,
    definition_id integer not null,
    partitions integer not null,
    is_gone boolean not null default false,
    method text,
    withheld text
) partition by range (at);
create index on {schema}.table_samples (server_id, at);
create index on {schema}.table_samples (definition_id, at);

-- One row of each database at each round. `is_seen`: its tables were looked at; `is_full`: each object has a sample;
-- `after_idle`: since the round before nothing passed, so that nobody looked.
create table {schema}.database_samples (
    at timestamptz not null,
    server_id integer not null,
    database oid not null,
    is_seen boolean not null,
    is_full boolean not null,
    after_idle boolean not null,
    datname text not null,
    figures jsonb not null,
    -- Those that have used up 1 % of their range.
    sequences jsonb not null
) partition by range (at);
create index on {schema}.database_samples (server_id, at);

create table {schema}.server_samples (
    at timestamptz not null,
    server_id integer not null,
    facts jsonb not null,
    missing jsonb not null
) partition by range (at);
create index on {schema}.server_samples (server_id, at);

-- What people ask.
create view {schema}.index_snapshots as
select s.at, d.datname, d.schemaname, d.relname, d.indexrelname, s.scans, s.size_bytes, d.is_unique, d.is_primary,
    d.is_valid, d.enforces, d.definition, s.tuples_read, s.tuples_fetched, s.last_scan, s.stats_reset, s.bloat_percent,
    s.wasted_bytes, s.method, s.withheld, s.partitions, d.root is not null as is_partition, v.server, s.database,
    s.relation
from {schema}.index_samples s
join {schema}.index_definitions d using (definition_id)
join {schema}.servers v on v.server_id = s.server_id
where not s.is_gone;

create view {schema}.table_snapshots as
select s.at, d.datname, d.schemaname, d.relname, s.live_tuples, s.dead_tuples,
    s.heap_bytes + s.toast_bytes + s.index_bytes as size_bytes, s.bloat_percent, s.wasted_bytes, s.method, s.withheld,
    s.heap_bytes, s.toast_bytes, s.index_bytes, s.modified_since_analyze, s.last_vacuum, s.last_autovacuum,
    s.last_analyze, s.last_autoanalyze, s.xid_age, s.multixact_age, s.stats_reset, s.partitions,
    d.root is not null as is_partition, v.server, s.database, s.relation
from {schema}.table_samples s
join {schema}.table_definitions d using (definition_id)
join {schema}.servers v on v.server_id = s.server_id
where not s.is_gone;

create view {schema}.database_snapshots as
select s.at, s.datname, f.size_bytes, f.sessions, f.session_limit, f.committed, f.rolled_back, f.blocks_hit,
    f.blocks_read, f.temp_files, f.temp_bytes, f.deadlocks, f.xid_age, f.multixact_age, s.is_seen, s.sequences, v.server,
    s.database
from {schema}.database_samples s
join {schema}.servers v on v.server_id = s.server_id
cross join lateral jsonb_to_record(s.figures) f (
    size_bytes bigint, sessions bigint, session_limit bigint, committed bigint, rolled_back bigint, blocks_hit bigint,
    blocks_read bigint, temp_files bigint, temp_bytes bigint, deadlocks bigint, xid_age bigint, multixact_age bigint
);

-- How long snapshots are kept; maintain() is told.
alter table {schema}.meta add column snapshots_kept interval not null default '90 days';

-- Which tables are partitioned, as in 0005, with those above.
create or replace function {schema}.partitioned(
    minutes interval, hours interval, days interval, slow interval, errors interval
)
    returns table (parent text, unit text, keep interval)
    language sql stable
    set search_path = pg_catalog, pg_temp
as $$
    values
        ('query_stats', 'day', minutes),
        ('query_stats_hour', 'day', hours),
        ('query_stats_day', 'month', days),
        ('batches', 'day', greatest(minutes, interval '7 days')),
        ('errors', 'month', errors),
        ('tag_stats', 'day', errors),
        ('session_stats', 'day', hours),
        ('idle_after', 'day', hours),
        ('slow_statements', 'month', slow)
    union all
    select p, 'month', m.snapshots_kept
    from {schema}.meta m
    cross join unnest(array['job_runs', 'index_samples', 'table_samples', 'database_samples', 'server_samples']) p
$$;

-- Definitions of which no sample is kept. Each object has one a day, so what exists is never among them.
create function {schema}.forget_definitions(before timestamptz)
    returns void
    language sql
    set search_path = pg_catalog, pg_temp
as $$
    delete from {schema}.index_definitions d
    where d.since < before
        and not exists (select from {schema}.index_samples s where s.definition_id = d.definition_id);
    delete from {schema}.table_definitions d
    where d.since < before
        and not exists (select from {schema}.table_samples s where s.definition_id = d.definition_id);
$$;

-- maintain() as in 0005, for programs that know of snapshots; the retention stays for those that don't.
create function {schema}.maintain(
    minutes interval, hours interval, days interval, slow interval, errors interval, snapshots interval
)
    returns table (action text, partition text)
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
begin
    if snapshots < interval '1 hour' then
        raise exception 'a retention below one hour' using errcode = 'invalid_parameter_value';
    end if;
    update {schema}.meta m set snapshots_kept = snapshots where m.snapshots_kept is distinct from snapshots;
    for action, partition in
        select done.action, done.partition from {schema}.maintain(minutes, hours, days, slow, errors) done
    loop
        if action = 'dropped' and partition ~ '^(index|table)_samples_' then
            perform {schema}.forget_definitions(clock_timestamp() - snapshots);
        end if;
        return next;
    end loop;
end
$$;
