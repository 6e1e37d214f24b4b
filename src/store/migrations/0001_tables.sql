-- What was measured, in tables (docs/design/store.md §1 to §3 says what they mean and how they are written).
--
-- Wide columns stand first, so that rows have no holes. The big tables are append-only: no row is ever changed, and none
-- is deleted but with its whole partition. They have no DEFAULT partition: a row without a partition is an error.

-- One row: which programs may use these tables, and from when on each resolution is kept. maintain() moves the times on;
-- what is older has to be written to the next coarser table.
create table {schema}.meta (
    only_row boolean primary key default true check (only_row),
    schema_version integer not null default 0,
    min_writer integer not null default 1,
    min_reader integer not null default 1,
    minutes_from timestamptz not null default '-infinity',
    hours_from timestamptz not null default '-infinity',
    days_from timestamptz not null default '-infinity'
);
insert into {schema}.meta default values;

-- What has been migrated: file, SHA-256 of its text before names were put in.
create table {schema}.migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    program text not null,
    applied_at timestamptz not null default now()
);

-- Who measured what. Rows are inserted in a transaction of their own before the first batch that needs them.

-- A monitored PostgreSQL; `server` is the name that statistics carry.
create table {schema}.servers (
    server_id integer generated always as identity primary key,
    server text not null unique,
    system_identifier bigint,
    first_seen timestamptz not null default now()
);

-- An application, whatever its pods are called.
create table {schema}.services (
    service_id integer generated always as identity primary key,
    service text not null unique,
    first_seen timestamptz not null default now()
);

-- One process's life. Names may repeat, boots can't.
create table {schema}.instances (
    instance_id integer generated always as identity primary key,
    boot uuid not null unique,
    instance text not null,
    service_id integer not null references {schema}.services,
    version text not null,
    started_at timestamptz not null,
    registered_at timestamptz not null default now()
);
create index on {schema}.instances (service_id);

-- What was written: a batch's row is in the same transaction as its rows, so a batch whose key is here is not written
-- again. `day` (UTC) is that of the first attempt to write it and stays with the batch through all retries.
create table {schema}.batches (
    sequence bigint not null,
    first_bucket timestamptz,
    last_bucket timestamptz,
    written_at timestamptz not null default clock_timestamp(),
    clock_offset_us bigint,
    instance_id integer not null,
    day date not null,
    rows integer not null,
    idle boolean not null default false,
    primary key (instance_id, sequence, day)
) partition by range (day);

-- A statement's canonical text. `query_hash` is its 16 hex digits everywhere.
create table {schema}.queries (
    query_hash text primary key,
    query text not null,
    kind text not null,
    class text not null,
    summary text not null,
    name text,
    tables text[] not null default '{}',
    filters text[] not null default '{}',
    fingerprint_version integer not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz
);

-- Whose executions of which statement. `series_id` is made of the other columns: docs/design/store.md §2.
create table {schema}.series (
    series_id bigint primary key,
    server text not null,
    query_hash text not null,
    datname text not null,
    usename text not null,
    application_name text not null,
    first_seen timestamptz not null default now()
);
create index on {schema}.series (query_hash);

-- The minutes: executions per instance and series. Level counts are disjoint: fast is good, slow alert, very slow
-- critical, and warning is what is left of `calls`. `buckets_us` ascends: each non-empty bucket's highest value.
create table {schema}.query_stats (
    series_id bigint not null,
    bucket timestamptz not null,
    rows bigint not null,
    bytes_in bigint not null,
    bytes_out bigint not null,
    total_us bigint not null,
    first_row_us bigint not null,
    client_stall_us bigint not null,
    max_us bigint not null,
    instance_id integer not null,
    calls integer not null,
    errors integer not null,
    aborted integer not null,
    batched integer not null,
    min_us integer not null,
    fast_calls integer not null,
    slow_calls integer not null,
    very_slow_calls integer not null,
    first_row_calls integer not null,
    prepares integer not null,
    prepare_us bigint not null,
    buckets_us integer[] not null,
    counts integer[] not null
) partition by range (bucket);
create index on {schema}.query_stats (series_id, bucket);
create index on {schema}.query_stats (instance_id, bucket);

-- The same by the hour, per service. An hour's rows are here only when `rollups` has the hour.
create table {schema}.query_stats_hour (
    series_id bigint not null,
    bucket timestamptz not null,
    rows bigint not null,
    bytes_in bigint not null,
    bytes_out bigint not null,
    total_us bigint not null,
    first_row_us bigint not null,
    client_stall_us bigint not null,
    max_us bigint not null,
    service_id integer not null,
    calls bigint not null,
    errors bigint not null,
    aborted bigint not null,
    batched bigint not null,
    min_us integer not null,
    fast_calls bigint not null,
    slow_calls bigint not null,
    very_slow_calls bigint not null,
    first_row_calls bigint not null,
    prepares bigint not null,
    prepare_us bigint not null,
    buckets_us integer[] not null,
    counts bigint[] not null
) partition by range (bucket);
create index on {schema}.query_stats_hour (series_id, bucket);
create index on {schema}.query_stats_hour (service_id, bucket);

-- And by the day (UTC).
create table {schema}.query_stats_day (like {schema}.query_stats_hour) partition by range (bucket);
create index on {schema}.query_stats_day (series_id, bucket);
create index on {schema}.query_stats_day (service_id, bucket);

-- Which hours and days have been rolled up.
create table {schema}.rollups (
    resolution text not null check (resolution in ('hour', 'day')),
    bucket timestamptz not null,
    rolled_at timestamptz not null default clock_timestamp(),
    primary key (resolution, bucket)
);

-- Errors of a minute by SQLSTATE.
create table {schema}.errors (
    series_id bigint not null,
    bucket timestamptz not null,
    instance_id integer not null,
    errors integer not null,
    sqlstate text not null
) partition by range (bucket);
create index on {schema}.errors (series_id, bucket);
create index on {schema}.errors (bucket);

-- Executions of a minute by tag; of data statements. Values beyond a process's 1,000 are '(other)', and so is the
-- statement of theirs.
create table {schema}.tag_stats (
    bucket timestamptz not null,
    rows bigint not null,
    total_us bigint not null,
    instance_id integer not null,
    calls integer not null,
    errors integer not null,
    tag_key text not null,
    tag_value text not null,
    query_hash text not null,
    buckets_us integer[] not null,
    counts integer[] not null
) partition by range (bucket);
create index on {schema}.tag_stats (tag_key, bucket);

-- Sessions of a process in a minute; `open_sessions` at its end.
create table {schema}.session_stats (
    bucket timestamptz not null,
    startup_us bigint not null,
    transaction_us bigint not null,
    idle_in_transaction_us bigint not null,
    transaction_statements bigint not null,
    instance_id integer not null,
    open_sessions integer not null,
    opened integer not null,
    failed integer not null,
    closed integer not null,
    ended_by_error integer not null,
    committed integer not null,
    rolled_back integer not null,
    transaction_buckets_us integer[] not null,
    transaction_counts integer[] not null
) partition by range (bucket);
create index on {schema}.session_stats (instance_id, bucket);

-- After which statement sessions sat idle in a transaction.
create table {schema}.idle_after (
    series_id bigint not null,
    bucket timestamptz not null,
    idle_us bigint not null,
    instance_id integer not null,
    times integer not null
) partition by range (bucket);
create index on {schema}.idle_after (bucket);

-- Single executions; never used for sums. `suppressed` is how many more of its statement there were in its minute.
create table {schema}.slow_statements (
    at timestamptz not null,
    reason text not null check (reason in ('slow', 'running', 'sampled', 'error')),
    server text not null,
    service text not null,
    instance text not null,
    query_hash text not null,
    datname text not null,
    usename text not null,
    application_name text not null,
    duration_ms double precision not null,
    first_row_ms double precision,
    client_stall_ms double precision,
    rows bigint,
    level text,
    sqlstate text,
    tags jsonb,
    trace_id text,
    parameters jsonb,
    suppressed integer not null default 0
) partition by range (at);
create index on {schema}.slow_statements (at);
create index on {schema}.slow_statements (query_hash, at);

-- Who does what alone: duty 'collect' of a server, or 'global' with an empty server.
create table {schema}.leases (
    duty text not null,
    server text not null default '',
    holder uuid not null,
    epoch bigint not null default 1,
    until timestamptz not null,
    primary key (duty, server)
);
