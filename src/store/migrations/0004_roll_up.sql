-- Minutes to hours, hours to days: each in one transaction, once, whoever else tries; and late rows.
--
-- A roll-up holds its hour (day) alone, a batch shares the hours and days of its rows: see hold_hours(). All of it needs
-- READ COMMITTED: what a lock was waited for must be seen behind it.

-- The key of an hour's or a day's lock; advisory locks are the database's, so the schema is in it.
create function {schema}.lock_class(resolution text)
    returns integer
    language sql immutable
as $$
    select hashtext('{schema}' || resolution)
$$;

create function {schema}.lock_key(resolution text, bucket timestamptz)
    returns integer
    language sql immutable
as $$
    select (extract(epoch from bucket) / extract(epoch from {schema}.span(resolution)))::integer
$$;

-- For a batch, first in its transaction: shares the hours of its rows until the transaction ends, and says for each hour
-- to which of the three tables its rows have to go: one, or several where a roll-up came first. To the hours and days as
-- one more row per series, with the hour's or day's begin as `bucket`. None: older than all that is kept.
-- 55P03: an hour is being rolled up right now; try again later.
create function {schema}.hold_hours(hours timestamptz[])
    returns table (hour timestamptz, to_minutes boolean, to_hours boolean, to_days boolean)
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    kept {schema}.meta;
    day timestamptz;
begin
    perform {schema}.demand_read_committed();
    for hour in select distinct date_trunc('hour', h) from unnest(hours) h order by 1 loop
        day := date_trunc('day', hour);
        if not pg_try_advisory_xact_lock_shared({schema}.lock_class('hour'), {schema}.lock_key('hour', hour))
            or not pg_try_advisory_xact_lock_shared({schema}.lock_class('day'), {schema}.lock_key('day', day))
        then
            raise exception 'the hour % is being rolled up', hour
                using errcode = 'lock_not_available', hint = 'write this batch later';
        end if;
        select * into kept from {schema}.meta;
        to_minutes := hour >= kept.minutes_from;
        -- Where no finer table takes them, these rows are the roll-up.
        if not to_minutes and hour >= kept.hours_from then
            insert into {schema}.rollups (resolution, bucket) values ('hour', hour) on conflict do nothing;
        end if;
        if hour < kept.hours_from and day >= kept.days_from then
            insert into {schema}.rollups (resolution, bucket) values ('day', day) on conflict do nothing;
        end if;
        to_hours := hour >= kept.hours_from
            and exists (select from {schema}.rollups r where r.resolution = 'hour' and r.bucket = hour);
        to_days := day >= kept.days_from
            and exists (select from {schema}.rollups r where r.resolution = 'day' and r.bucket = day);
        return next;
    end loop;
end
$$;

create function {schema}.demand_read_committed()
    returns void
    language plpgsql
as $$
begin
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception 'this transaction is %, and would miss what others commit meanwhile',
            current_setting('transaction_isolation')
            using errcode = 'invalid_transaction_state', hint = 'begin it with READ COMMITTED';
    end if;
end
$$;

-- Rolls up an hour that is over; false if that was done before. Instances' rows are found by their index, service by
-- service, so that neither the day's partition is read whole nor a fleet's hour held at once.
create function {schema}.roll_up_hour(hour timestamptz)
    returns boolean
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set jit = off
as $$
declare
    service integer;
begin
    perform {schema}.demand_read_committed();
    if hour is distinct from date_trunc('hour', hour) then
        raise exception '% is not the begin of an hour', hour using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock({schema}.lock_class('hour'), {schema}.lock_key('hour', hour));
    insert into {schema}.rollups (resolution, bucket) values ('hour', hour) on conflict do nothing;
    if not found then
        return false;
    end if;
    for service in select s.service_id from {schema}.services s order by 1 loop
        insert into {schema}.query_stats_hour
        with minute as materialized (
            select q.*
            from {schema}.instances i
            cross join lateral (
                select * from {schema}.query_stats m
                where m.instance_id = i.instance_id and m.bucket >= hour and m.bucket < hour + interval '1 hour'
                offset 0
            ) q
            where i.service_id = service
        ),
        histogram as (
            select b.series_id, array_agg(b.bucket_us order by b.bucket_us) as buckets_us,
                array_agg(b.count order by b.bucket_us) as counts
            from (
                select u.series_id, u.bucket_us, sum(u.count)::bigint as count
                from (
                    select m.series_id, unnest(m.buckets_us) as bucket_us, unnest(m.counts) as count from minute m
                ) u
                group by 1, 2
            ) b
            group by 1
        ),
        total as (
            select m.series_id, sum(m.rows)::bigint as rows, sum(m.bytes_in)::bigint as bytes_in,
                sum(m.bytes_out)::bigint as bytes_out, sum(m.total_us)::bigint as total_us,
                sum(m.first_row_us)::bigint as first_row_us, sum(m.client_stall_us)::bigint as client_stall_us,
                max(m.max_us) as max_us, sum(m.calls) as calls, sum(m.errors) as errors, sum(m.aborted) as aborted,
                sum(m.batched) as batched, coalesce(min(m.min_us) filter (where m.calls > 0), 0) as min_us,
                sum(m.fast_calls) as fast_calls, sum(m.slow_calls) as slow_calls,
                sum(m.very_slow_calls) as very_slow_calls, sum(m.first_row_calls) as first_row_calls,
                sum(m.prepares) as prepares, sum(m.prepare_us)::bigint as prepare_us
            from minute m
            group by 1
        )
        select t.series_id, hour, t.rows, t.bytes_in, t.bytes_out, t.total_us, t.first_row_us, t.client_stall_us,
            t.max_us, service, t.calls, t.errors, t.aborted, t.batched, t.min_us, t.fast_calls, t.slow_calls,
            t.very_slow_calls, t.first_row_calls, t.prepares, t.prepare_us,
            coalesce(h.buckets_us, '{}'), coalesce(h.counts, '{}')
        from total t left join histogram h on h.series_id = t.series_id;
    end loop;
    return true;
end
$$;

-- Rolls up a day (UTC) that is over, and first those of its hours that have not been; false if that was done before.
create function {schema}.roll_up_day(day timestamptz)
    returns boolean
    language plpgsql
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set jit = off
as $$
begin
    perform {schema}.demand_read_committed();
    if day is distinct from date_trunc('day', day) then
        raise exception '% is not the begin of a day (UTC)', day using errcode = 'invalid_parameter_value';
    end if;
    perform {schema}.roll_up_hour(h)
    from {schema}.gaps('hour', day, day + interval '24 hours') h;
    perform pg_advisory_xact_lock({schema}.lock_class('day'), {schema}.lock_key('day', day));
    insert into {schema}.rollups (resolution, bucket) values ('day', day) on conflict do nothing;
    if not found then
        return false;
    end if;
    insert into {schema}.query_stats_day
    with hour as materialized (
        select * from {schema}.query_stats_hour h where h.bucket >= day and h.bucket < day + interval '24 hours'
    ),
    histogram as (
        select b.service_id, b.series_id, array_agg(b.bucket_us order by b.bucket_us) as buckets_us,
            array_agg(b.count order by b.bucket_us) as counts
        from (
            select u.service_id, u.series_id, u.bucket_us, sum(u.count)::bigint as count
            from (
                select h.service_id, h.series_id, unnest(h.buckets_us) as bucket_us, unnest(h.counts) as count
                from hour h
            ) u
            group by 1, 2, 3
        ) b
        group by 1, 2
    ),
    total as (
        select h.service_id, h.series_id, sum(h.rows)::bigint as rows, sum(h.bytes_in)::bigint as bytes_in,
            sum(h.bytes_out)::bigint as bytes_out, sum(h.total_us)::bigint as total_us,
            sum(h.first_row_us)::bigint as first_row_us, sum(h.client_stall_us)::bigint as client_stall_us,
            max(h.max_us) as max_us, sum(h.calls)::bigint as calls, sum(h.errors)::bigint as errors,
            sum(h.aborted)::bigint as aborted, sum(h.batched)::bigint as batched,
            coalesce(min(h.min_us) filter (where h.calls > 0), 0) as min_us,
            sum(h.fast_calls)::bigint as fast_calls, sum(h.slow_calls)::bigint as slow_calls,
            sum(h.very_slow_calls)::bigint as very_slow_calls, sum(h.first_row_calls)::bigint as first_row_calls,
            sum(h.prepares)::bigint as prepares, sum(h.prepare_us)::bigint as prepare_us
        from hour h
        group by 1, 2
    )
    select t.series_id, day, t.rows, t.bytes_in, t.bytes_out, t.total_us, t.first_row_us, t.client_stall_us, t.max_us,
        t.service_id, t.calls, t.errors, t.aborted, t.batched, t.min_us, t.fast_calls, t.slow_calls,
        t.very_slow_calls, t.first_row_calls, t.prepares, t.prepare_us,
        coalesce(h.buckets_us, '{}'), coalesce(h.counts, '{}')
    from total t left join histogram h on h.service_id = t.service_id and h.series_id = t.series_id;
    update {schema}.queries q
    set last_seen = day + interval '24 hours'
    where q.query_hash in (
        select s.query_hash
        from {schema}.query_stats_day d join {schema}.series s on s.series_id = d.series_id
        where d.bucket = day
    ) and coalesce(q.last_seen, '-infinity') < day + interval '24 hours';
    return true;
end
$$;

-- What can be rolled up: hours and days that are over for `settle`, the oldest first, hours before the days they make.
create function {schema}.roll_ups_due(now timestamptz default clock_timestamp(), settle interval default '5 minutes')
    returns table (resolution text, bucket timestamptz)
    language sql stable
    security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
    select due.resolution, due.bucket
    from (
        select 'hour' as resolution, h as bucket, h + interval '1 hour' as over
        from {schema}.meta m,
            generate_series(greatest(m.minutes_from, now - interval '70 days'), now - settle - interval '1 hour', interval '1 hour') h
        union all
        select 'day', d, d + interval '24 hours'
        from {schema}.meta m,
            generate_series(greatest(m.hours_from, now - interval '70 days'), now - settle - interval '24 hours', interval '24 hours') d
    ) due
    where not exists (
        select from {schema}.rollups r where r.resolution = due.resolution and r.bucket = due.bucket
    )
    order by due.over, due.resolution desc
$$;
