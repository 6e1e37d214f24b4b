-- The same answers as 0006 gives, sooner.
--
-- query_stats_at() is a union: a condition reaches the tables' indexes only where it names values. A join with `series`
-- does not, `= any (array(…))` does, which is worth it for one statement's few series and ruinous for a whole fleet's. And
-- what a statement's percentiles are made of is read once for all statements, not once for each.

create or replace function {schema}.latency(
    since timestamptz, until timestamptz, step interval, query_hash text default null, server text default null,
    service text default null, datname text default null, usename text default null,
    application_name text default null
)
    returns table (
        "time" timestamptz, calls bigint, errors bigint, p50_ms double precision, p95_ms double precision,
        p99_ms double precision
    )
    language plpgsql stable
    set search_path = pg_catalog, pg_temp set jit = off set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
    chosen bigint[] := array(select s.series_id from {schema}.series_of($4, $5, $7, $8, $9) s);
    owner integer := (select v.service_id from {schema}.services v where v.service = $6);
begin
    return query
    with row as materialized (
        select {schema}.step_of(q.bucket, step) as "time", q.calls, q.errors, q.buckets_us, q.counts
        from {schema}.query_stats_at(since, until, step) q
        where $4 is not null and q.series_id = any (chosen) and ($6 is null or q.service_id = owner)
        union all
        select {schema}.step_of(q.bucket, step), q.calls, q.errors, q.buckets_us, q.counts
        from {schema}.query_stats_at(since, until, step) q
        join unnest(chosen) s (series_id) on s.series_id = q.series_id
        where $4 is null and ($6 is null or q.service_id = owner)
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
    order by 1;
end
$$;

create or replace function {schema}.top_statements(
    since timestamptz, until timestamptz, n integer default 50, server text default null, service text default null,
    datname text default null, usename text default null, application_name text default null
)
    returns table (
        query_hash text, query text, calls bigint, errors bigint, total_ms double precision, mean_ms double precision,
        p95_ms double precision, share_percent double precision
    )
    language plpgsql stable
    set search_path = pg_catalog, pg_temp set jit = off set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
    owner integer := (select v.service_id from {schema}.services v where v.service = $5);
    series bigint[];
    whole double precision;
begin
    -- By series first: few of them have much to tell, and none is looked up but once.
    with one as materialized (
        select q.series_id, sum(q.calls) as calls, sum(q.errors) as errors, sum(q.total_us) as total_us
        from {schema}.query_stats_at(since, until) q
        where $5 is null or q.service_id = owner
        group by 1
    ),
    named as materialized (
        select s.query_hash, sum(one.total_us) as total_us, array_agg(one.series_id) as series
        from one join {schema}.series_of(null, $4, $6, $7, $8) s on s.series_id = one.series_id
        group by 1
    ),
    best as (select * from named order by named.total_us desc, named.query_hash limit n)
    select (select sum(named.total_us) from named)::double precision,
        array(select unnest(best.series) from best)
    into whole, series;

    return query
    with row as materialized (
        select s.query_hash, q.calls, q.errors, q.total_us, q.buckets_us, q.counts
        from {schema}.query_stats_at(since, until) q
        join {schema}.series s on s.series_id = q.series_id
        where q.series_id = any (series) and ($5 is null or q.service_id = owner)
    ),
    bucket as (
        select u.query_hash, u.bucket_us, sum(u.count) as count
        from (select r.query_hash, unnest(r.buckets_us) as bucket_us, unnest(r.counts) as count from row r) u
        group by 1, 2
    ),
    ranked as (
        select b.query_hash, b.bucket_us,
            sum(b.count) over (partition by b.query_hash order by b.bucket_us) as seen,
            sum(b.count) over (partition by b.query_hash)::double precision as total
        from bucket b
    ),
    quantile as (
        select r.query_hash, min(r.bucket_us) / 1000.0::double precision as p95_ms
        from ranked r
        where r.seen >= greatest(ceil(0.95::double precision * r.total), 1)
        group by 1
    ),
    total as (
        select r.query_hash, sum(r.calls)::bigint as calls, sum(r.errors)::bigint as errors,
            sum(r.total_us)::double precision as total_us
        from row r
        group by 1
    )
    select t.query_hash, q.query, t.calls, t.errors, t.total_us / 1000, t.total_us / 1000 / nullif(t.calls, 0), p.p95_ms,
        100 * t.total_us / nullif(whole, 0)
    from total t
    left join quantile p on p.query_hash = t.query_hash
    left join {schema}.queries q on q.query_hash = t.query_hash
    order by t.total_us desc, t.query_hash;
end
$$;
