-- Each execution once, whatever is asked for: days and hours where a range holds them whole, minutes at its edges.
--
-- What is in the tables of hours and days is there only when `rollups` says so; then it is also in the minutes until
-- these are retired. So a range is cut at the first and the last hour (day) in it that has been rolled up.

create function {schema}.span(resolution text)
    returns interval
    language sql immutable parallel safe
as $$
    select case resolution when 'day' then interval '24 hours' else interval '1 hour' end
$$;

-- How far hours (days) may stand for what is finer: to the range's end, but with a step below their own length only to
-- where the finer table begins.
create function {schema}.rolled_limit(resolution text, until timestamptz, step interval)
    returns timestamptz
    language sql stable parallel safe
as $$
    select case
        when step >= {schema}.span(resolution) then until
        else least(until, case resolution when 'day' then m.hours_from else m.minutes_from end)
    end
    from {schema}.meta m
$$;

-- Where the first hour (day) begins that lies in the range and has been rolled up; the range's end if there is none.
create function {schema}.rolled_from(resolution text, since timestamptz, until timestamptz, step interval)
    returns timestamptz
    language sql stable parallel safe
as $$
    select coalesce(min(r.bucket), until)
    from {schema}.rollups r
    where r.resolution = $1 and r.bucket >= since
        and r.bucket <= {schema}.rolled_limit($1, until, step) - {schema}.span($1)
$$;

-- Where the last one ends; the range's end if there is none.
create function {schema}.rolled_to(resolution text, since timestamptz, until timestamptz, step interval)
    returns timestamptz
    language sql stable parallel safe
as $$
    select coalesce(max(r.bucket) + {schema}.span($1), until)
    from {schema}.rollups r
    where r.resolution = $1 and r.bucket >= since
        and r.bucket <= {schema}.rolled_limit($1, until, step) - {schema}.span($1)
$$;

-- Hours (days) between two of them that have not been rolled up: none, in good health.
create function {schema}.gaps(resolution text, since timestamptz, until timestamptz)
    returns setof timestamptz
    language plpgsql stable parallel safe rows 1
as $$
begin
    if since < until then
        return query select g from generate_series(since, until - {schema}.span($1), {schema}.span($1)) g
            where not exists (select from {schema}.rollups r where r.resolution = $1 and r.bucket = g);
    end if;
end
$$;

-- Each execution of a range once, by steps not longer than `step` where the tables still have them so fine: minutes are
-- never taken for a `step` of an hour or more while there are hours. Inlined by the planner: conditions on its columns
-- reach the tables' indexes.
create function {schema}.query_stats_at(since timestamptz, until timestamptz, step interval)
    returns table (
        series_id bigint, bucket timestamptz, rows bigint, bytes_in bigint, bytes_out bigint, total_us bigint,
        first_row_us bigint, client_stall_us bigint, max_us bigint, instance_id integer, calls bigint, errors bigint,
        aborted bigint, batched bigint, min_us integer, fast_calls bigint, slow_calls bigint, very_slow_calls bigint,
        first_row_calls bigint, prepares bigint, prepare_us bigint, buckets_us integer[], counts bigint[],
        service_id integer
    )
    language sql stable parallel safe
as $$
    -- Days.
    select d.series_id, d.bucket, d.rows, d.bytes_in, d.bytes_out, d.total_us, d.first_row_us, d.client_stall_us, d.max_us,
        null::integer, d.calls, d.errors, d.aborted, d.batched, d.min_us,
        d.fast_calls, d.slow_calls, d.very_slow_calls, d.first_row_calls, d.prepares, d.prepare_us,
        d.buckets_us, d.counts, d.service_id
    from {schema}.query_stats_day d
    where d.bucket >= (select {schema}.rolled_from('day', since, until, step))
        and d.bucket < (select {schema}.rolled_to('day', since, until, step))
    union all
    -- Hours before the days, and after them; and where a day between them has not been rolled up.
    select h.series_id, h.bucket, h.rows, h.bytes_in, h.bytes_out, h.total_us, h.first_row_us, h.client_stall_us, h.max_us,
        null::integer, h.calls, h.errors, h.aborted, h.batched, h.min_us,
        h.fast_calls, h.slow_calls, h.very_slow_calls, h.first_row_calls, h.prepares, h.prepare_us,
        h.buckets_us, h.counts, h.service_id
    from {schema}.query_stats_hour h
    where h.bucket >= (select {schema}.rolled_from('hour', since, until, step))
        and h.bucket < (select least({schema}.rolled_from('day', since, until, step),
            {schema}.rolled_to('hour', since, until, step)))
    union all
    select h.series_id, h.bucket, h.rows, h.bytes_in, h.bytes_out, h.total_us, h.first_row_us, h.client_stall_us, h.max_us,
        null::integer, h.calls, h.errors, h.aborted, h.batched, h.min_us,
        h.fast_calls, h.slow_calls, h.very_slow_calls, h.first_row_calls, h.prepares, h.prepare_us,
        h.buckets_us, h.counts, h.service_id
    from {schema}.query_stats_hour h
    where h.bucket >= (select {schema}.rolled_to('day', since, until, step))
        and h.bucket < (select {schema}.rolled_to('hour', since, until, step))
    union all
    select h.series_id, h.bucket, h.rows, h.bytes_in, h.bytes_out, h.total_us, h.first_row_us, h.client_stall_us, h.max_us,
        null::integer, h.calls, h.errors, h.aborted, h.batched, h.min_us,
        h.fast_calls, h.slow_calls, h.very_slow_calls, h.first_row_calls, h.prepares, h.prepare_us,
        h.buckets_us, h.counts, h.service_id
    from {schema}.query_stats_hour h
        join {schema}.gaps('day', (select {schema}.rolled_from('day', since, until, step)),
            (select {schema}.rolled_to('day', since, until, step))) gap
            on h.bucket >= gap and h.bucket < gap + interval '24 hours'
    where h.bucket >= (select {schema}.rolled_from('day', since, until, step))
        and h.bucket < (select {schema}.rolled_to('day', since, until, step))
    union all
    -- Minutes likewise.
    select q.series_id, q.bucket, q.rows, q.bytes_in, q.bytes_out, q.total_us, q.first_row_us, q.client_stall_us, q.max_us,
        q.instance_id, q.calls::bigint, q.errors::bigint, q.aborted::bigint, q.batched::bigint, q.min_us,
        q.fast_calls::bigint, q.slow_calls::bigint, q.very_slow_calls::bigint, q.first_row_calls::bigint, q.prepares::bigint, q.prepare_us,
        q.buckets_us, q.counts::bigint[], i.service_id
    from {schema}.query_stats q join {schema}.instances i on i.instance_id = q.instance_id
    where q.bucket >= since
        and q.bucket < (select {schema}.rolled_from('hour', since, until, step))
    union all
    select q.series_id, q.bucket, q.rows, q.bytes_in, q.bytes_out, q.total_us, q.first_row_us, q.client_stall_us, q.max_us,
        q.instance_id, q.calls::bigint, q.errors::bigint, q.aborted::bigint, q.batched::bigint, q.min_us,
        q.fast_calls::bigint, q.slow_calls::bigint, q.very_slow_calls::bigint, q.first_row_calls::bigint, q.prepares::bigint, q.prepare_us,
        q.buckets_us, q.counts::bigint[], i.service_id
    from {schema}.query_stats q join {schema}.instances i on i.instance_id = q.instance_id
    where q.bucket >= (select {schema}.rolled_to('hour', since, until, step))
        and q.bucket < until
    union all
    select q.series_id, q.bucket, q.rows, q.bytes_in, q.bytes_out, q.total_us, q.first_row_us, q.client_stall_us, q.max_us,
        q.instance_id, q.calls::bigint, q.errors::bigint, q.aborted::bigint, q.batched::bigint, q.min_us,
        q.fast_calls::bigint, q.slow_calls::bigint, q.very_slow_calls::bigint, q.first_row_calls::bigint, q.prepares::bigint, q.prepare_us,
        q.buckets_us, q.counts::bigint[], i.service_id
    from {schema}.query_stats q join {schema}.instances i on i.instance_id = q.instance_id
        join {schema}.gaps('hour', (select {schema}.rolled_from('hour', since, until, step)),
            (select {schema}.rolled_to('hour', since, until, step))) gap
            on q.bucket >= gap and q.bucket < gap + interval '1 hour'
    where q.bucket >= (select {schema}.rolled_from('hour', since, until, step))
        and q.bucket < (select {schema}.rolled_to('hour', since, until, step))
$$;

-- The same by the coarsest steps that hold the range exactly: what sums and percentiles of a range are made of.
create function {schema}.query_stats_at(since timestamptz, until timestamptz)
    returns table (
        series_id bigint, bucket timestamptz, rows bigint, bytes_in bigint, bytes_out bigint, total_us bigint,
        first_row_us bigint, client_stall_us bigint, max_us bigint, instance_id integer, calls bigint, errors bigint,
        aborted bigint, batched bigint, min_us integer, fast_calls bigint, slow_calls bigint, very_slow_calls bigint,
        first_row_calls bigint, prepares bigint, prepare_us bigint, buckets_us integer[], counts bigint[],
        service_id integer
    )
    language sql stable parallel safe
as $$
    select * from {schema}.query_stats_at(since, until, interval '24 hours')
$$;
