-- Replication slots. PostgreSQL 13 and later; inactive_since since 17, asked of the row as JSON.
select s.slot_name::text as name, s.slot_type as kind, s.database::text, s.active as is_active, s.temporary as is_temporary,
    greatest(pg_wal_lsn_diff(l.lsn, s.restart_lsn), 0)::bigint as retained_bytes, s.wal_status,
    s.safe_wal_size as safe_wal_bytes, greatest(age(s.xmin), age(s.catalog_xmin))::bigint as xmin_age,
    (extract(epoch from (to_jsonb(s) ->> 'inactive_since')::timestamptz) * 1000000)::bigint as inactive_since
from pg_replication_slots s
cross join (
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
) l
order by s.slot_name
