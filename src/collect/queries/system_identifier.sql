-- The cluster's own number. PostgreSQL 13 and later; some services revoke it.
select system_identifier from pg_control_system()
