-- What people ask, ready to use. Figures are of data statements alone where no statement is named.

-- Single executions by statement: rows of minutes as long as there are minutes, then of hours, then of days.
create view {schema}.statement_latency as
select q.bucket, v.service, i.instance, s.query_hash, t.query, s.datname, s.usename, s.application_name, q.calls,
    q.errors, q.total_us / 1000.0::double precision / nullif(q.calls, 0) as mean_ms,
    {schema}.percentile_of(0.5, q.buckets_us, q.counts) as p50_ms,
    {schema}.percentile_of(0.95, q.buckets_us, q.counts) as p95_ms,
    {schema}.percentile_of(0.99, q.buckets_us, q.counts) as p99_ms,
    q.max_us / 1000.0::double precision as max_ms, s.server
from {schema}.query_stats_at('-infinity', 'infinity', interval '1 minute') q
join {schema}.series s on s.series_id = q.series_id
left join {schema}.queries t on t.query_hash = s.query_hash
left join {schema}.services v on v.service_id = q.service_id
left join {schema}.instances i on i.instance_id = q.instance_id;

-- The series that filters leave; a filter left out, or NULL, leaves all.
create function {schema}.series_of(
    query_hash text, server text, datname text, usename text, application_name text
)
    returns table (series_id bigint, query_hash text)
    language sql stable parallel safe
as $$
    select s.series_id, s.query_hash
    from {schema}.series s
    where ($1 is null or s.query_hash = $1) and ($2 is null or s.server = $2) and ($3 is null or s.datname = $3)
        and ($4 is null or s.usename = $4) and ($5 is null or s.application_name = $5)
        and ($1 is not null
            or exists (select from {schema}.queries q where q.query_hash = s.query_hash and q.class = 'data'))
$$;

-- The begin of the step that holds a moment; steps are counted from 1970-01-01 UTC.
create function {schema}.step_of(at timestamptz, step interval)
    returns timestamptz
    language sql immutable parallel safe
as $$
    select to_timestamp(floor(extract(epoch from at) / extract(epoch from step)) * extract(epoch from step))
$$;

-- Calls, errors and percentiles by steps of time; `step` of a minute or more.
create function {schema}.latency(
    since timestamptz, until timestamptz, step interval, query_hash text default null, server text default null,
    service text default null, datname text default null, usename text default null,
    application_name text default null
)
    returns table (
        "time" timestamptz, calls bigint, errors bigint, p50_ms double precision, p95_ms double precision,
        p99_ms double precision
    )
    language sql stable
    set search_path = pg_catalog, pg_temp set jit = off
as $$
    with row as materialized (
        select {schema}.step_of(q.bucket, step) as "time", q.calls, q.errors, q.buckets_us, q.counts
        from {schema}.query_stats_at(since, until, step) q
        join {schema}.series_of($4, $5, $7, $8, $9) s on s.series_id = q.series_id
        where $6 is null or q.service_id = (select v.service_id from {schema}.services v where v.service = $6)
    ),
    bucket as (
        select u."time", u.bucket_us, sum(u.count) as count
        from (select r."time", unnest(r.buckets_us) as bucket_us, unnest(r.counts) as count from row r) u
        group by 1, 2
    ),
    ranked as (
        select b."time", b.bucket_us / 1000.0::double precision as ms,
            sum(b.count) over (partition by b."time" order by b.bucket_us) as seen,
            sum(b.count) over (partition by b."time")::double precision as total
        from bucket b
    ),
    quantile as (
        select r."time",
            min(r.ms) filter (where r.seen >= greatest(ceil(0.5 * r.total), 1)) as p50_ms,
            min(r.ms) filter (where r.seen >= greatest(ceil(0.95::double precision * r.total), 1)) as p95_ms,
            min(r.ms) filter (where r.seen >= greatest(ceil(0.99::double precision * r.total), 1)) as p99_ms
        from ranked r
        group by 1
    )
    select total."time", total.calls, total.errors, quantile.p50_ms, quantile.p95_ms, quantile.p99_ms
    from (select r."time", sum(r.calls)::bigint as calls, sum(r.errors)::bigint as errors from row r group by 1) total
    left join quantile on quantile."time" = total."time"
    order by 1
$$;

-- The upper bounds of a heat map's rows: eight a decade from 10 µs on; the last holds the longest that is measured.
create function {schema}.heat_bounds_us()
    returns double precision[]
    language sql immutable parallel safe
as $$
    select array_agg(case when k < 59 then round(power(10, 1 + k / 8.0::double precision)) else 2147483647 end order by k)
    from generate_series(0, 59) k
$$;

-- Calls by steps of time and by duration: those above the bound before `le_ms` and not above it.
create function {schema}.heatmap(
    since timestamptz, until timestamptz, step interval, query_hash text default null, server text default null,
    service text default null
)
    returns table ("time" timestamptz, le_ms double precision, count bigint)
    language sql stable
    set search_path = pg_catalog, pg_temp set jit = off
as $$
    with bound as materialized (select {schema}.heat_bounds_us() as us)
    select u."time", b.us[least(1 + width_bucket(u.bucket_us - 0.5::double precision, b.us), 60)] / 1000 as le_ms,
        sum(u.count)::bigint
    from (
        select {schema}.step_of(q.bucket, step) as "time", unnest(q.buckets_us) as bucket_us, unnest(q.counts) as count
        from {schema}.query_stats_at(since, until, step) q
        join {schema}.series_of($4, $5, null, null, null) s on s.series_id = q.series_id
        where $6 is null or q.service_id = (select v.service_id from {schema}.services v where v.service = $6)
    ) u
    cross join bound b
    group by 1, 2
    order by 1, 2
$$;

-- The data statements that took most time. Percentiles are made of the statements returned alone.
create function {schema}.top_statements(
    since timestamptz, until timestamptz, n integer default 50, server text default null, service text default null,
    datname text default null, usename text default null, application_name text default null
)
    returns table (
        query_hash text, query text, calls bigint, errors bigint, total_ms double precision, mean_ms double precision,
        p95_ms double precision, share_percent double precision
    )
    language sql stable
    set search_path = pg_catalog, pg_temp set jit = off
as $$
    with total as materialized (
        select s.query_hash, sum(q.calls)::bigint as calls, sum(q.errors)::bigint as errors,
            sum(q.total_us)::double precision as total_us, array_agg(distinct q.series_id) as series
        from {schema}.query_stats_at(since, until) q
        join {schema}.series_of(null, $4, $6, $7, $8) s on s.series_id = q.series_id
        where $5 is null or q.service_id = (select v.service_id from {schema}.services v where v.service = $5)
        group by 1
    ),
    top as materialized (
        select t.*, 100 * t.total_us / nullif((select sum(a.total_us) from total a), 0) as share_percent
        from total t
        order by t.total_us desc, t.query_hash
        limit n
    )
    select top.query_hash, t.query, top.calls, top.errors, top.total_us / 1000, top.total_us / 1000 / nullif(top.calls, 0),
        ranked.p95_ms, top.share_percent
    from top
    left join {schema}.queries t on t.query_hash = top.query_hash
    cross join lateral (
        select min(r.bucket_us) / 1000.0::double precision as p95_ms
        from (
            select b.bucket_us, sum(b.count) over (order by b.bucket_us) as seen,
                sum(b.count) over ()::double precision as total
            from (
                select unnest(q.buckets_us) as bucket_us, unnest(q.counts) as count
                from {schema}.query_stats_at(since, until) q
                where q.series_id = any (top.series)
                    and ($5 is null
                        or q.service_id = (select v.service_id from {schema}.services v where v.service = $5))
            ) b
        ) r
        where r.seen >= greatest(ceil(0.95::double precision * r.total), 1)
    ) ranked
    order by top.total_us desc, top.query_hash
$$;

-- The same of the last 24 hours and what of the first of them begins the hour.
create view {schema}.top_statements_24h as
select * from {schema}.top_statements(date_trunc('hour', now() - interval '24 hours', 'UTC'), now(), 50);
