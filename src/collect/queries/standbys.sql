-- Receivers of WAL. PostgreSQL 13 and later.
select coalesce(r.application_name, '') as name, host(r.client_addr) as address, r.state,
    greatest(pg_wal_lsn_diff(l.lsn, r.replay_lsn), 0)::bigint as behind_bytes, age(r.backend_xmin)::bigint as xmin_age
from pg_stat_replication r
cross join (
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
) l
order by 1, 2
