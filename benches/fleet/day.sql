-- A day of one service: :pods instances, :series statements, a row of each every minute, durations log-normal in
-- hdrhistogram's buckets of two digits.
insert into pgvitals.services (service) values ('service-1');
insert into pgvitals.instances (boot, instance, service_id, version, started_at)
select gen_random_uuid(), 'pod-' || i, (select service_id from pgvitals.services), '0', now() from generate_series(1, :pods) i;
insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version)
select 'h' || i, 'select ' || i, 'select', 'data', 'SELECT', 1 from generate_series(1, :series) i;
insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
select i, 'db:5432', 'h' || i, 'shop', 'app', 'web' from generate_series(1, :series) i;

-- A few hundred histograms to choose from: drawing each row's would take longer than all the rest.
create temporary table drawn as
with duration as (
    select g / 12 as id, exp(ln(2000) + 0.35 * sqrt(-2 * ln(random() + 1e-12)) * cos(2 * pi() * random()))::int as us
    from generate_series(0, 997 * 12 - 1) g
), bucket as (
    select id, ((us >> k) + 1 << k) - 1 as top, count(*)::int as n
    from (select id, us, greatest(0, floor(log(2, greatest(us, 1)))::int - 7) as k from duration) x group by 1, 2
)
select id, array_agg(top order by top) as buckets_us, array_agg(n order by top) as counts from bucket group by id;

insert into pgvitals.query_stats
select s.series_id, date_trunc('day', now(), 'UTC') + interval '1 day' + m * interval '1 minute', 12, 480, 1200,
    24000 + s.series_id, 24000, 0, 4000, i.instance_id, 12, 0, 0, 0, 1000, 12, 0, 0, 12, 0, 0, d.buckets_us, d.counts
from generate_series(0, 1439) m
cross join pgvitals.instances i
cross join pgvitals.series s
join drawn d on d.id = (m * 31 + i.instance_id * 7 + s.series_id) % 997
order by m, i.instance_id, s.series_id;
vacuum analyze;
