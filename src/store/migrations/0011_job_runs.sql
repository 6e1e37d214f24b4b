-- What came of a job's slot, step by step, and since when somebody is at a duty.
--
-- The row is there once the job was at it; a slot of which a step failed is tried again, and its row says how that went.
alter table {schema}.job_runs add column started_at timestamptz, add column steps jsonb;

alter table {schema}.leases add column since timestamptz;
