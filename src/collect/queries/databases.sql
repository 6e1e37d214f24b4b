-- Databases and their counters, without templates and what providers keep for themselves. PostgreSQL 13 and later;
-- sessions_killed since 14, asked of the row as JSON.
select d.oid, d.datname::text as name, d.datallowconn as allows, has_database_privilege(d.oid, 'connect') as may_connect,
    has_database_privilege(d.oid, 'connect') or pg_has_role(current_user, 'pg_read_all_stats', 'usage') as may_weigh,
    (select count(*) from pg_stat_activity a where a.datid = d.oid and coalesce(a.backend_type, 'client backend') = 'client backend')
        as sessions,
    nullif(d.datconnlimit, -1)::bigint as session_limit, s.xact_commit as committed, s.xact_rollback as rolled_back,
    s.blks_hit as blocks_hit, s.blks_read as blocks_read, s.temp_files, s.temp_bytes, s.deadlocks,
    (to_jsonb(s) ->> 'sessions_fatal')::bigint + (to_jsonb(s) ->> 'sessions_killed')::bigint as sessions_killed,
    s.checksum_failures, age(d.datfrozenxid)::bigint as xid_age, mxid_age(d.datminmxid)::bigint as multixact_age,
    (extract(epoch from s.stats_reset) * 1000000)::bigint as stats_reset
from pg_database d
left join pg_stat_database s on s.datid = d.oid
where not d.datistemplate and d.datconnlimit <> -2
    and d.datname not in ('rdsadmin', 'cloudsqladmin', 'alloydbadmin', 'azure_maintenance', 'azure_sys')
order by d.datname
