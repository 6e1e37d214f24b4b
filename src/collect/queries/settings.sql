-- Settings that rules look at; those that a version does not have are left out. PostgreSQL 13 and later.
select s.name, s.setting as value, coalesce(s.unit, '') as unit
from pg_settings s
where s.name = any (array[
    'autovacuum', 'autovacuum_analyze_scale_factor', 'autovacuum_analyze_threshold', 'autovacuum_freeze_max_age',
    'autovacuum_max_workers', 'autovacuum_multixact_freeze_max_age', 'autovacuum_naptime',
    'autovacuum_vacuum_cost_delay', 'autovacuum_vacuum_cost_limit', 'autovacuum_vacuum_insert_scale_factor',
    'autovacuum_vacuum_insert_threshold', 'autovacuum_vacuum_max_threshold', 'autovacuum_vacuum_scale_factor',
    'autovacuum_vacuum_threshold', 'autovacuum_work_mem', 'block_size', 'checkpoint_timeout', 'data_checksums',
    'deadlock_timeout', 'effective_cache_size', 'fsync', 'full_page_writes', 'hot_standby_feedback',
    'idle_in_transaction_session_timeout', 'idle_replication_slot_timeout', 'jit', 'lock_timeout',
    'log_min_duration_statement', 'maintenance_work_mem', 'max_connections', 'max_locks_per_transaction',
    'max_prepared_transactions', 'max_replication_slots', 'max_slot_wal_keep_size', 'max_wal_senders', 'max_wal_size',
    'max_worker_processes', 'old_snapshot_threshold', 'random_page_cost', 'reserved_connections', 'shared_buffers',
    'statement_timeout', 'superuser_reserved_connections', 'synchronous_commit', 'track_activities', 'track_counts',
    'track_io_timing', 'transaction_timeout', 'vacuum_cost_limit', 'vacuum_failsafe_age', 'vacuum_freeze_max_age',
    'vacuum_freeze_min_age', 'vacuum_freeze_table_age', 'vacuum_multixact_failsafe_age', 'wal_keep_size', 'wal_level',
    'work_mem'
])
order by s.name
