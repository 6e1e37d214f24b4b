-- Percentiles of histograms: percentile() over rows, percentile_of() of one row; both in milliseconds.
--
-- Counts of equal buckets are added, then the bucket is taken in which the quantile lies, as hdrhistogram does it. The
-- functions of the aggregate are our own, with types that are not polymorphic: an aggregate that names array_cat or
-- array_append directly makes pg_upgrade refuse the database.

-- Buckets in any order, possibly repeated; once there are `room` of them they are merged.
create type {schema}.percentile_state as (
    q double precision,
    buckets_us integer[],
    counts bigint[],
    room integer
);

-- Adds up the counts of equal buckets. The room grows with what is left, so that no element is merged all the time.
create function {schema}.percentile_merge(q double precision, buckets_us integer[], counts bigint[])
    returns {schema}.percentile_state
    language sql immutable parallel safe
as $$
    select row(q, array_agg(merged.bucket_us), array_agg(merged.count), 1000 + 2 * count(*)::integer)
        ::{schema}.percentile_state
    from (
        select pair.bucket_us, sum(pair.count)::bigint as count
        from (select unnest(buckets_us) as bucket_us, unnest(counts) as count) pair
        where pair.count > 0
        group by pair.bucket_us
    ) merged
$$;

create function {schema}.percentile_add(
    state {schema}.percentile_state, q double precision, buckets_us integer[], counts bigint[]
)
    returns {schema}.percentile_state
    language plpgsql immutable parallel safe
as $$
begin
    if cardinality(buckets_us) = cardinality(counts) then
        if cardinality(state.counts) < state.room then
            return row(q, state.buckets_us || buckets_us, state.counts || counts, state.room)
                ::{schema}.percentile_state;
        elsif state.room > 0 then
            return {schema}.percentile_merge(q, state.buckets_us || buckets_us, state.counts || counts);
        elsif q < 0 or q > 1 then
            raise exception 'a percentile is a number from 0 to 1, not %', q
                using errcode = 'numeric_value_out_of_range', hint = 'write 0.95 for the 95th percentile';
        end if;
        return row(q, buckets_us, counts, 1000)::{schema}.percentile_state;
    end if;
    return state;
end
$$;

create function {schema}.percentile_combine(a {schema}.percentile_state, b {schema}.percentile_state)
    returns {schema}.percentile_state
    language plpgsql immutable parallel safe
as $$
begin
    if a.room > 0 and b.room > 0 then
        return {schema}.percentile_merge(a.q, a.buckets_us || b.buckets_us, a.counts || b.counts);
    end if;
    return case when a.room > 0 then a else b end;
end
$$;

create function {schema}.percentile_final(state {schema}.percentile_state)
    returns double precision
    language sql immutable parallel safe
as $$
    select min(s.bucket_us) / 1000.0::double precision
    from (
        select pair.bucket_us, sum(pair.count) over (order by pair.bucket_us) as seen, sum(pair.count) over () as total
        from (select unnest((state).buckets_us) as bucket_us, unnest((state).counts) as count) pair
        where pair.count > 0
    ) s
    where (state).q is not null and s.seen >= greatest(ceil((state).q * s.total::double precision), 1)
$$;

create aggregate {schema}.percentile(q double precision, buckets_us integer[], counts bigint[]) (
    sfunc = {schema}.percentile_add,
    stype = {schema}.percentile_state,
    finalfunc = {schema}.percentile_final,
    combinefunc = {schema}.percentile_combine,
    parallel = safe
);

-- Of one row, whose buckets ascend.
create function {schema}.percentile_of(q double precision, buckets_us integer[], counts bigint[])
    returns double precision
    language plpgsql immutable parallel safe
as $$
declare
    total bigint := 0;
    seen bigint := 0;
    target double precision;
    n bigint;
begin
    if q < 0 or q > 1 then
        raise exception 'a percentile is a number from 0 to 1, not %', q
            using errcode = 'numeric_value_out_of_range', hint = 'write 0.95 for the 95th percentile';
    end if;
    if q is null or cardinality(buckets_us) is distinct from cardinality(counts) or buckets_us is null then
        return null;
    end if;
    foreach n in array counts loop
        total := total + n;
    end loop;
    target := greatest(ceil(q * total), 1);
    for i in 1 .. cardinality(counts) loop
        seen := seen + counts[i];
        if seen >= target then
            return buckets_us[i] / 1000.0::double precision;
        end if;
    end loop;
    return null;
end
$$;
