-- The server and its sessions. PostgreSQL 13 and later; reserved_connections since 16.
select current_setting('server_version_num')::integer as version_number, current_setting('server_version') as version,
    pg_is_in_recovery() as is_standby,
    (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint as started_at,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint as at,
    current_setting('max_connections')::bigint as connections,
    current_setting('superuser_reserved_connections')::bigint
        + coalesce(current_setting('reserved_connections', true), '0')::bigint as reserved,
    (select count(*) from pg_stat_activity a where a.datid is not null and coalesce(a.backend_type, 'client backend') = 'client backend')
        as used,
    (select count(*) from pg_stat_activity a where a.state like 'idle in transaction%') as idle_in_transaction,
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all, current_user::text as role
