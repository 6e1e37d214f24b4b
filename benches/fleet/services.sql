-- The rolled-up day of the first service, as that of :services services, each with statements of its own; and the day itself.
insert into pgvitals.services (service) select 'service-' || i from generate_series(2, :services) i;
insert into pgvitals.queries (query_hash, query, kind, class, summary, fingerprint_version)
select q.query_hash || '-' || i, q.query || ' of ' || i, q.kind, q.class, q.summary, 1
from pgvitals.queries q cross join generate_series(2, :services) i;
insert into pgvitals.series (series_id, server, query_hash, datname, usename, application_name)
select s.series_id + 1000 * i, s.server, s.query_hash || '-' || i, s.datname, s.usename, s.application_name
from pgvitals.series s cross join generate_series(2, :services) i;
insert into pgvitals.query_stats_hour
select (q).*
from (
    select jsonb_populate_record(h, jsonb_build_object('series_id', h.series_id + 1000 * i, 'total_us', h.total_us + i,
        'service_id', (select service_id from pgvitals.services where service = 'service-' || i))) as q
    from pgvitals.query_stats_hour h cross join generate_series(2, :services) i
    order by h.bucket, i, h.series_id
) more;
vacuum analyze;
