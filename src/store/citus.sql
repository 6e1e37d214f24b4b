
-- For Citus: on the coordinator, behind the script above and before anything is written. A batch of a sidecar is one shard
-- (query_stats and what is like it by instance_id), a statement's hours and days are one (by series_id); what is small and
-- joined with all of them is on every node. Leases and migrations stay on the coordinator.
begin;
select create_reference_table('{schema}.' || quote_ident(small))
from unnest(array['meta', 'servers', 'services', 'instances', 'queries', 'series', 'rollups']) small;
select create_distributed_table('{schema}.query_stats', 'instance_id');
select create_distributed_table('{schema}.' || quote_ident(like_it), 'instance_id', colocate_with => '{schema}.query_stats')
from unnest(array['batches', 'errors', 'tag_stats', 'session_stats', 'idle_after']) like_it;
select create_distributed_table('{schema}.query_stats_hour', 'series_id');
select create_distributed_table('{schema}.query_stats_day', 'series_id', colocate_with => '{schema}.query_stats_hour');
commit;
