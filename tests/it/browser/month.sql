-- Forty days of a shop before the one look that there was: statements by the hour, of which one takes three times as long since
-- yesterday, sizes that grow, a sequence that fills, indexes of which two are used; alerts that are over.

set timezone = 'UTC';

-- Partitions of the time before pgvitals.
do $$
declare
    parent text;
    day timestamptz;
begin
    foreach parent in array array['index_samples', 'table_samples', 'database_samples', 'server_samples'] loop
        for day in select generate_series(date_trunc('month', now() - interval '41 days'), now(), interval '1 month') loop
            if not exists (select from pgvitals.partitions(parent) p where p.since <= day and day < p.until) then
                perform pgvitals.make_partition(parent, parent || to_char(day, '_YYYYMM'), day, day + interval '1 month');
            end if;
        end loop;
    end loop;
    for day in select generate_series(date_trunc('day', now() - interval '31 days'), now(), interval '1 day') loop
        if not exists (select from pgvitals.partitions('query_stats_hour') p where p.since <= day and day < p.until) then
            perform pgvitals.make_partition('query_stats_hour', to_char(day, '"query_stats_hour_"YYYYMMDD'), day, day + interval '1 day');
        end if;
    end loop;
end
$$;

-- What was looked at, hour by hour: sizes grew by half, the sequence by a million a day.
insert into pgvitals.server_samples (at, server_id, facts, missing)
select s.at - h * interval '1 hour', server_id, jsonb_set(facts, '{connections,used}', to_jsonb(12 + h % 24)), missing
from (select * from pgvitals.server_samples order by at desc limit 1) s, generate_series(1, 960) h;
insert into pgvitals.database_samples (at, server_id, database, is_seen, is_full, after_idle, datname, figures, sequences)
select s.at - h * interval '1 hour', server_id, database, is_seen, h % 24 = 0, after_idle, datname,
    jsonb_set(figures, '{size_bytes}', to_jsonb(round((figures ->> 'size_bytes')::numeric * (1 - h / 2000.0)))),
    (
        select coalesce(jsonb_agg(jsonb_set(e, '{last_value}', to_jsonb((e ->> 'last_value')::bigint - h * 41666))), '[]')
        from jsonb_array_elements(sequences) e
    )
from (select distinct on (database) * from pgvitals.database_samples order by database, at desc) s, generate_series(1, 960) h;
create temp table then_table as select * from pgvitals.table_samples;
create temp table then_index as select * from pgvitals.index_samples;
do $$
begin
    for day in 1 .. 40 loop
        update then_table set at = at - interval '1 day', heap_bytes = heap_bytes * 0.99, index_bytes = index_bytes * 0.99;
        update then_index set at = at - interval '1 day', scans = greatest(0, scans - 1);
        insert into pgvitals.table_samples select * from then_table;
        insert into pgvitals.index_samples select * from then_index;
    end loop;
end
$$;
update pgvitals.index_definitions set since = since - interval '41 days';
update pgvitals.table_definitions set since = since - interval '41 days';

-- Who measures: a pod that wrote just now, an idle one, and one that ended.
insert into pgvitals.services (service) values ('shop'), ('billing');
insert into pgvitals.servers (server) values ('shop-db') on conflict do nothing;
insert into pgvitals.instances (boot, instance, service_id, version, started_at)
select gen_random_uuid(), name, (select service_id from pgvitals.services where service = 'shop'), version, now() - interval '9 days'
from (values ('shop-7f9c-x2x', '0.1.0'), ('shop-7f9c-k4d', '0.1.0'), ('shop-5b1a-old', '0.0.9')) i (name, version);
insert into pgvitals.batches (sequence, first_bucket, last_bucket, written_at, instance_id, day, rows, idle)
select 1, date_trunc('minute', now()) - interval '2 minutes', date_trunc('minute', now()) - interval '2 minutes',
    now() - case when instance like '%old' then interval '3 hours' else interval '0' end, instance_id, now()::date, 240, instance like '%k4d'
from pgvitals.instances where instance like 'shop-%';

-- Statements: text, calls an hour, milliseconds, errors a hundred calls.
create temp table shop (hash text, query text, kind text, summary text, tables text[], application text, calls integer, ms double precision, failing double precision);
insert into shop values
    ('00000000000000a1', 'select id, name, price from products where category = $1 order by price limit $2', 'select', 'SELECT products', '{products}', 'web', 900, 4, 0),
    ('00000000000000a2', 'select o.id, o.total, c.name from orders o join customers c on c.id = o.customer where o.at > $1 group by o.id, c.name having sum(o.total) > $2 order by o.total desc', 'select', 'SELECT orders customers', '{orders,customers}', 'reports', 20, 700, 0),
    ('00000000000000a3', 'insert into orders (customer, total) values ($1, $2) returning id', 'insert', 'INSERT orders', '{orders}', 'web', 120, 9, 1),
    ('00000000000000a4', 'update carts set quantity = $1 where session = $2', 'update', 'UPDATE carts', '{carts}', 'web', 300, 6, 0),
    ('00000000000000a5', 'insert into customers (email) values ($1)', 'insert', 'INSERT customers', '{customers}', 'signup', 40, 5, 18);
insert into pgvitals.queries (query_hash, query, kind, class, summary, tables, fingerprint_version, first_seen)
select hash, query, kind, 'data', summary, tables, 1, now() - interval '31 days' from shop;
insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
select row_number() over (order by hash), 'shop-db', hash, 'shop', 'app', application from shop;
-- By the hour of the day and of the week more or less; since yesterday the carts take three times as long.
insert into pgvitals.query_stats_hour
select series_id, at, calls, calls * 90, calls * 240, calls * us, calls * us * 0.8, calls * us * 0.03, us * 6, service_id, calls, errors, 0, 0, us / 4,
    case when us < 100000 then calls else 0 end, case when us > 500000 then calls - calls / 12 - 1 else 0 end,
    case when us > 500000 then calls / 12 + 1 else 0 end, calls, 0, 0,
    array[us / 2, us, us * 3, us * 6], array[calls / 2, calls - calls / 2 - calls / 12 - 1, calls / 12, 1]
from (
    select row_number() over (partition by h order by hash) as series_id, date_trunc('hour', now()) - h * interval '1 hour' as at,
        greatest(12, (calls * (1 + 0.7 * sin((h % 24) * pi() / 12)) * case when h / 24 % 7 in (2, 3) then 0.4 else 1 end))::integer as calls,
        (failing * greatest(12, calls) / 100)::integer as errors,
        (ms * 1000 * case when hash like '%a4' and h <= 24 then 3 else 1 end)::integer as us
    from shop, generate_series(1, 720) h
) hours, (select service_id from pgvitals.services where service = 'shop') s;
insert into pgvitals.rollups (resolution, bucket) select 'hour', date_trunc('hour', now()) - h * interval '1 hour' from generate_series(1, 720) h;
insert into pgvitals.errors (series_id, bucket, instance_id, errors, sqlstate)
select s.series_id, date_trunc('minute', now()) - interval '40 minutes', 1, errors, sqlstate
from pgvitals.series s
join (values ('00000000000000a5', 160, '23505'), ('00000000000000a5', 12, '57014'), ('00000000000000a3', 30, '40001')) e (hash, errors, sqlstate) on e.hash = s.query_hash;
insert into pgvitals.tag_stats (bucket, rows, total_us, instance_id, calls, errors, tag_key, tag_value, query_hash, buckets_us, counts)
select date_trunc('minute', now()) - interval '30 minutes', 40, calls * 18000, (select max(instance_id) from pgvitals.instances), calls, 0, 'route', route, '00000000000000a4', array[18000, 36000], array[calls - 3, 3]
from (values ('/cart/add', 240), ('/cart/{id}', 60)) r (route, calls);
insert into pgvitals.slow_statements (at, reason, server, service, instance, query_hash, datname, usename, application_name, duration_ms, first_row_ms, client_stall_ms, rows, level, sqlstate, tags)
select now() - n * interval '37 minutes', 'slow', 'shop-db', 'shop', 'shop-7f9c-x2x', '00000000000000a2', 'shop', 'app', 'reports', 640 + n * 53, 600, 12, 200, case when n > 6 then 'critical' else 'alert' end, null, '{"route":"/reports/top"}'
from generate_series(1, 9) n where now() - n * interval '37 minutes' >= date_trunc('month', now());

-- What was, and is over.
insert into pgvitals.alerts (opened_at, last_seen_at, updated_at, resolved_at, value, worst, threshold, count, server, kind, subject, datname, query_hash, severity, message)
select now() - d * interval '1 day', now() - d * interval '1 day' + interval '40 minutes', now() - d * interval '1 day' + interval '1 hour',
    now() - d * interval '1 day' + interval '1 hour', 812, 1320, 500, 7, 'shop-db', 'slow_statement', 'shop 00000000000000a2', 'shop', '00000000000000a2', 'critical',
    'SELECT orders customers took 1.32 s'
from unnest(array[2, 5, 9]) d;
