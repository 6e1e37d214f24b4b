-- Alerts, who is told of them, and reports (docs/design/store.md §2).
--
-- These tables are small: what is old is deleted, and the rows of an open alert are updated once a minute at most.

-- An alert's life (docs/design/design.md §7). What it is about is `subject`, for people; `datname`, `query_hash` and
-- `name` are what that is made of. Values are in the kind's unit.
create table {schema}.alerts (
    id bigint generated always as identity primary key,
    opened_at timestamptz not null,
    last_seen_at timestamptz not null,
    updated_at timestamptz not null,
    resolved_at timestamptz,
    acknowledged_at timestamptz,
    notified_at timestamptz,
    missed_at timestamptz,
    value double precision not null,
    worst double precision not null,
    threshold double precision not null,
    count bigint not null,
    missed integer not null default 0,
    is_flapping boolean not null default false,
    server text not null,
    kind text not null,
    subject text not null,
    datname text,
    query_hash text,
    name text not null default '',
    severity text not null check (severity in ('warning', 'alert', 'critical')),
    message text not null,
    acknowledged_by text,
    acknowledged_severity text,
    notified_severity text
);
create unique index on {schema}.alerts (server, kind, coalesce(datname, ''), coalesce(query_hash, ''), name)
    where resolved_at is null;
create index on {schema}.alerts (resolved_at);
create index on {schema}.alerts (opened_at);

-- Nobody is told of alerts that match, until then; NULL matches all.
create table {schema}.silences (
    silence_id bigint generated always as identity primary key,
    until timestamptz not null,
    created_at timestamptz not null default clock_timestamp(),
    server text,
    kind text,
    datname text,
    subject text,
    silenced_by text not null
);
create index on {schema}.silences (until);

-- A day of a server: as data, and as people read it.
create table {schema}.reports (
    report_id bigint generated always as identity primary key,
    made_at timestamptz not null default clock_timestamp(),
    day date not null,
    server text not null,
    report jsonb not null,
    text text not null,
    unique (day, server)
);

-- What is to be told to whom. `event` says what happened; where that can happen again, with what tells it apart.
create table {schema}.notifications (
    notification_id bigint generated always as identity primary key,
    alert_id bigint references {schema}.alerts on delete cascade,
    report_id bigint references {schema}.reports on delete cascade,
    due timestamptz not null,
    sent_at timestamptz,
    failed_at timestamptz,
    attempts integer not null default 0,
    event text not null,
    channel text not null,
    check ((alert_id is null) <> (report_id is null)),
    unique (alert_id, event, channel),
    unique (report_id, channel)
);
create index on {schema}.notifications (due) where sent_at is null and failed_at is null;

-- What each instance last said of itself and its sessions, where there is something to say: facts for whoever judges.
create table {schema}.conditions (
    instance_id integer primary key references {schema}.instances,
    at timestamptz not null,
    facts jsonb not null
);

-- What is judged. The writer may call these; it reads no statistics otherwise.

-- Executions that took long, newest first. `is_exempt`: its comment says pgvitals:no-alert.
create function {schema}.long_executions(since timestamptz, until timestamptz, duration_min_ms double precision)
    returns table (
        at timestamptz, server text, datname text, query_hash text, class text, summary text,
        duration_ms double precision, is_running boolean, is_exempt boolean
    )
    language sql stable
    security definer set search_path = pg_catalog, pg_temp
as $$
    select s.at, s.server, s.datname, s.query_hash, coalesce(q.class, 'data'),
        coalesce(nullif(q.summary, ''), nullif(left(q.query, 80), ''), s.query_hash), s.duration_ms,
        s.reason = 'running', coalesce(s.tags ->> 'pgvitals' = 'no-alert', false)
    from {schema}.slow_statements s
    left join {schema}.queries q on q.query_hash = s.query_hash
    where s.at > since and s.at <= until and s.reason in ('slow', 'running') and s.duration_ms > duration_min_ms
    order by s.at desc
    limit 10000
$$;

-- Whether a statement's comments said pgvitals:no-alert in the day before.
create function {schema}.is_exempt(hash text, at timestamptz)
    returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from {schema}.tag_stats t
        where t.tag_key = 'pgvitals' and t.bucket >= at - interval '1 day' and t.bucket < at
            and t.tag_value = 'no-alert' and t.query_hash = hash
    )
$$;

-- Statements with at least so many errors in these minutes.
create function {schema}.failing_statements(since timestamptz, until timestamptz, errors_min bigint)
    returns table (
        server text, datname text, query_hash text, class text, summary text, first_seen timestamptz,
        is_exempt boolean, calls bigint, errors bigint
    )
    language sql stable
    security definer set search_path = pg_catalog, pg_temp
as $$
    with failing as materialized (
        select e.series_id, sum(e.errors)::bigint as errors
        from {schema}.errors e
        where e.bucket >= since and e.bucket < until
        group by 1
    ),
    statement as (
        select s.server, s.datname, s.query_hash, sum(f.errors)::bigint as errors
        from failing f join {schema}.series s on s.series_id = f.series_id
        group by 1, 2, 3
        having sum(f.errors) >= errors_min
    )
    select t.server, t.datname, t.query_hash, coalesce(q.class, 'data'),
        coalesce(nullif(q.summary, ''), nullif(left(q.query, 80), ''), t.query_hash),
        coalesce(q.first_seen, to_timestamp(0)), {schema}.is_exempt(t.query_hash, until), c.calls, t.errors
    from statement t
    left join {schema}.queries q on q.query_hash = t.query_hash
    cross join lateral (
        select coalesce(sum(m.calls), 0)::bigint as calls
        from {schema}.series s
        join {schema}.query_stats m on m.series_id = s.series_id and m.bucket >= since and m.bucket < until
        where s.query_hash = t.query_hash and s.server = t.server and s.datname = t.datname
    ) c
$$;

-- The data statements of a server that took most time since a day before `until`.
create function {schema}.busy_statements(of_server text, until timestamptz, most integer)
    returns table (
        datname text, query_hash text, class text, summary text, first_seen timestamptz, is_exempt boolean
    )
    language sql stable
    security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
    with busy as materialized (
        select s.datname, s.query_hash, sum(q.total_us) as total_us
        from {schema}.query_stats_at(until - interval '1 day', until, interval '1 hour') q
        join {schema}.series s on s.series_id = q.series_id
        where s.server = of_server
            and exists (select from {schema}.queries d where d.query_hash = s.query_hash and d.class = 'data')
        group by 1, 2
        order by 3 desc, 1, 2
        limit most
    )
    select b.datname, b.query_hash, q.class, coalesce(nullif(q.summary, ''), left(q.query, 80)), q.first_seen,
        {schema}.is_exempt(b.query_hash, until)
    from busy b
    join {schema}.queries q on q.query_hash = b.query_hash
$$;

-- The hours of statements of a server, those in which nothing happened left out.
create function {schema}.statement_hours(
    of_server text, hashes text[], since timestamptz, until timestamptz
)
    returns table (
        datname text, query_hash text, hour timestamptz, calls bigint, errors bigint, total_us bigint,
        tops integer[], counts bigint[]
    )
    language sql stable
    security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
    with part as materialized (
        select s.datname, s.query_hash, {schema}.step_of(q.bucket, interval '1 hour') as hour, q.calls, q.errors,
            q.total_us, q.buckets_us, q.counts
        from {schema}.query_stats_at(since, until, interval '1 hour') q
        join {schema}.series s on s.series_id = q.series_id
        where s.server = of_server and s.query_hash = any (hashes)
    ),
    total as (
        select p.datname, p.query_hash, p.hour, sum(p.calls)::bigint as calls, sum(p.errors)::bigint as errors,
            sum(p.total_us)::bigint as total_us
        from part p
        group by 1, 2, 3
    ),
    histogram as (
        select b.datname, b.query_hash, b.hour, array_agg(b.top order by b.top) as tops,
            array_agg(b.n order by b.top) as counts
        from (
            select u.datname, u.query_hash, u.hour, u.top, sum(u.n)::bigint as n
            from (
                select p.datname, p.query_hash, p.hour, unnest(p.buckets_us) as top, unnest(p.counts) as n
                from part p
            ) u
            group by 1, 2, 3, 4
        ) b
        group by 1, 2, 3
    )
    select t.datname, t.query_hash, t.hour, t.calls, t.errors, t.total_us, coalesce(h.tops, '{}'),
        coalesce(h.counts, '{}')
    from total t
    left join histogram h using (datname, query_hash, hour)
    where t.calls > 0
    order by 1, 2, 3
$$;

-- For how many days there are partitions.
create function {schema}.days_ahead()
    returns double precision
    language sql stable
    security definer set search_path = pg_catalog, pg_temp
as $$
    select min(extract(epoch from last.until - clock_timestamp()) / 86400)::double precision
    from (
        select max(p.until) as until
        from unnest(array['query_stats', 'batches', 'session_stats']) t
        cross join lateral {schema}.partitions(t) p
        group by t
    ) last
$$;

-- Deletes alerts that have been over for so long, with their notifications; reports and silences likewise.
create function {schema}.forget_alerts(keep interval)
    returns bigint
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp
as $$
declare
    gone bigint;
begin
    if keep < interval '1 hour' then
        raise exception 'a retention below one hour' using errcode = 'invalid_parameter_value';
    end if;
    delete from {schema}.alerts where resolved_at < clock_timestamp() - keep;
    get diagnostics gone = row_count;
    delete from {schema}.reports where made_at < clock_timestamp() - keep;
    delete from {schema}.silences where until < clock_timestamp() - keep;
    return gone;
end
$$;
