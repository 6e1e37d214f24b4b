-- Partitions: made 14 days ahead, removed when their time is over.
--
-- CREATE TABLE and ATTACH conflict with no reader and no COPY. DETACH needs the parent alone: it waits for readers, and
-- everybody else waits behind it, so it waits for 100 ms and is tried again an hour later.

-- Which tables are partitioned, by what, and for how long they are kept.
create function {schema}.partitioned(minutes interval, hours interval, days interval, slow interval, errors interval)
    returns table (parent text, unit text, keep interval)
    language sql immutable
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
$$;

-- The partitions that exist, with their bounds; only the latter tell, not the names.
create function {schema}.partitions(parent text)
    returns table (partition text, since timestamptz, until timestamptz)
    language sql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
    select c.relname::text,
        (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([^'']+)''\)'))[1]::timestamptz,
        (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = format('%I.%I', '{schema_name}', parent)::regclass
$$;

-- Makes a partition for [since, until). Whoever else wants the lock of its parent is waited for 100 ms.
create function {schema}.make_partition(parent text, partition text, since timestamptz, until timestamptz)
    returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
    by_column text := (
        select a.attname
        from pg_partitioned_table p
        join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
        where p.partrelid = format('%I.%I', '{schema_name}', parent)::regclass
    );
begin
    -- With the CHECK, ATTACH needs to look at nothing. Left in place it would cost each row that is inserted.
    execute format(
        'create table %I.%I (like %I.%I including defaults including constraints including storage,
            constraint bounds check (%I >= %L and %I < %L))',
        '{schema_name}', partition, '{schema_name}', parent, by_column, since, by_column, until
    );
    execute format(
        'alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
        '{schema_name}', parent, '{schema_name}', partition, since, until
    );
    execute format('alter table %I.%I drop constraint bounds', '{schema_name}', partition);
end
$$;

-- Whether a partition's rows are all in the next coarser table, so that it may go; other tables have none.
create function {schema}.is_rolled_up(parent text, since timestamptz, until timestamptz)
    returns boolean
    language plpgsql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
begin
    return case parent
        when 'query_stats' then not exists (
            select from {schema}.gaps('hour', since, until) gap
            cross join lateral (
                select from {schema}.query_stats q
                where q.bucket >= gap and q.bucket < gap + interval '1 hour' limit 1
            ) missed
        )
        when 'query_stats_hour' then not exists (
            select from {schema}.gaps('day', since, until) gap
            cross join lateral (
                select from {schema}.query_stats_hour h
                where h.bucket >= gap and h.bucket < gap + interval '24 hours' limit 1
            ) missed
        )
        else true
    end;
end
$$;

-- maintain() at some moment; for its owner alone. Says what it did: 'made'; 'dropped', at most one at a call, because its
-- lock is held until the transaction ends; 'busy' when somebody holds a lock; 'kept' when rows are not yet rolled up.
create function {schema}.maintain_at(
    now timestamptz, minutes interval, hours interval, days interval, slow interval, errors interval
)
    returns table (action text, partition text)
    language plpgsql
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '100ms'
as $$
declare
    ahead constant interval := '14 days';
    -- What a sidecar may bring from its spool to a store that has just been made.
    behind constant interval := '7 days';
    kind record;
    span record;
begin
    if least(minutes, hours, days, slow, errors) < interval '1 hour' then
        raise exception 'a retention below one hour' using errcode = 'invalid_parameter_value';
    end if;
    if not pg_try_advisory_xact_lock(hashtext('{schema}' || 'maintain'), 0) then
        return;
    end if;
    for kind in select * from {schema}.partitioned(minutes, hours, days, slow, errors) loop
        for span in
            select p as since, p + ('1 ' || kind.unit)::interval as until,
                kind.parent || to_char(p, case kind.unit when 'day' then '_YYYYMMDD' else '_YYYYMM' end) as name
            from generate_series(
                date_trunc(kind.unit, now - least(kind.keep, behind)), now + ahead, ('1 ' || kind.unit)::interval
            ) p
            where not exists (select from {schema}.partitions(kind.parent) e where p >= e.since and p < e.until)
                -- What was removed stays so.
                and p >= all (select e.since from {schema}.partitions(kind.parent) e)
        loop
            begin
                perform {schema}.make_partition(kind.parent, span.name, span.since, span.until);
                action := 'made';
            exception when lock_not_available then
                action := 'busy';
            end;
            partition := span.name;
            return next;
        end loop;
    end loop;
    perform {schema}.note_kept();
    for span in
        select e.*, k.parent
        from {schema}.partitioned(minutes, hours, days, slow, errors) k
        cross join lateral {schema}.partitions(k.parent) e
        where e.until <= now - k.keep
        order by e.until, k.parent
    loop
        partition := span.partition;
        begin
            if not {schema}.is_rolled_up(span.parent, span.since, span.until) then
                action := 'kept';
            else
                execute format(
                    'alter table %I.%I detach partition %I.%I',
                    '{schema_name}', span.parent, '{schema_name}', span.partition
                );
                execute format('drop table %I.%I', '{schema_name}', span.partition);
                action := 'dropped';
            end if;
        exception when lock_not_available then
            action := 'busy';
        end;
        return next;
        exit when action = 'dropped';
    end loop;
    perform {schema}.note_kept();
end
$$;

-- Notes where each resolution begins.
create function {schema}.note_kept()
    returns void
    language sql
    set search_path = pg_catalog, pg_temp
as $$
    update {schema}.meta m
    set minutes_from = kept.minutes, hours_from = kept.hours, days_from = kept.days
    from (
        select (select min(p.since) from {schema}.partitions('query_stats') p) as minutes,
            (select min(p.since) from {schema}.partitions('query_stats_hour') p) as hours,
            (select min(p.since) from {schema}.partitions('query_stats_day') p) as days
    ) kept
    where (m.minutes_from, m.hours_from, m.days_from) is distinct from (kept.minutes, kept.hours, kept.days)
$$;

-- How long minutes are kept when nobody says it: a large fleet's are many.
create function {schema}.minutes_kept()
    returns interval
    language sql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
    select case when count(distinct b.instance_id) < 50 then interval '2 days' else interval '6 hours' end
    from {schema}.batches b
    where b.day >= (now() - interval '1 day')::date and b.written_at > now() - interval '5 minutes'
$$;

-- Makes the partitions that will be needed and removes one whose time is over. Call it once an hour, in a transaction of
-- its own, and again as long as it says 'dropped'. A retention left out is the default one.
create function {schema}.maintain(
    minutes interval default null, hours interval default '60 days', days interval default '2 years',
    slow interval default '14 days', errors interval default '60 days'
)
    returns table (action text, partition text)
    language sql
    security definer set search_path = pg_catalog, pg_temp
as $$
    select *
    from {schema}.maintain_at(
        clock_timestamp(), coalesce(minutes, {schema}.minutes_kept()), hours, days, slow, errors
    )
$$;
