-- The ten oldest transactions and the ten that hold the oldest rows. PostgreSQL 13 and later.
with open as materialized (
    select a.pid, a.datname::text as database, a.usename::text as "user", coalesce(a.application_name, '') as application,
        a.state, (extract(epoch from a.xact_start) * 1000000)::bigint as began_at,
        greatest(age(a.backend_xmin), age(a.backend_xid))::bigint as xmin_age,
        a.backend_type = 'autovacuum worker' or a.query ~* '^\s*vacuum' as is_vacuum
    from pg_stat_activity a
    where a.pid <> pg_backend_pid() and a.xact_start is not null
        and a.backend_type in ('client backend', 'autovacuum worker', 'background worker', 'walsender')
)
(select * from open order by began_at limit 10)
union
(select * from open where xmin_age is not null order by xmin_age desc limit 10)
order by began_at
