-- The writer adds rows and asks for what that takes; it reads no statistics and makes no tables. What was seen in
-- databases it reads: a new round is compared and judged with it. The reader reads.
grant usage on schema {schema} to {writer}, {reader};

grant insert on {schema}.servers, {schema}.services, {schema}.instances, {schema}.queries, {schema}.series,
    {schema}.batches, {schema}.query_stats, {schema}.query_stats_hour, {schema}.query_stats_day, {schema}.errors,
    {schema}.tag_stats, {schema}.session_stats, {schema}.idle_after, {schema}.slow_statements to {writer};
grant select on {schema}.meta, {schema}.migrations, {schema}.servers, {schema}.services, {schema}.instances,
    {schema}.batches, {schema}.rollups to {writer};
grant select (query_hash) on {schema}.queries to {writer};
grant select (series_id) on {schema}.series to {writer};
grant insert, select on {schema}.job_runs, {schema}.index_definitions, {schema}.table_definitions,
    {schema}.index_samples, {schema}.table_samples, {schema}.database_samples, {schema}.server_samples to {writer};
grant update on {schema}.job_runs to {writer};
grant select, insert, update on {schema}.leases, {schema}.alerts, {schema}.silences, {schema}.notifications,
    {schema}.reports, {schema}.conditions to {writer};
grant execute on function {schema}.long_executions(timestamptz, timestamptz, double precision),
    {schema}.failing_statements(timestamptz, timestamptz, bigint),
    {schema}.busy_statements(text, timestamptz, integer),
    {schema}.statement_hours(text, text[], timestamptz, timestamptz), {schema}.days_ahead(),
    {schema}.forget_alerts(interval) to {writer};
grant execute on function {schema}.hold_hours(timestamptz[]), {schema}.roll_up_hour(timestamptz),
    {schema}.roll_up_day(timestamptz), {schema}.roll_ups_due(timestamptz, interval),
    {schema}.maintain(interval, interval, interval, interval, interval),
    {schema}.maintain(interval, interval, interval, interval, interval, interval),
    {schema}.weigh(), {schema}.partitions(text), {schema}.make_room(interval), {schema}.forget_demo(),
    {schema}.date_demo(text[], timestamptz[]) to {writer};

grant select on all tables in schema {schema} to {reader};
grant execute on all functions in schema {schema} to {reader};
revoke execute on function {schema}.hold_hours(timestamptz[]), {schema}.roll_up_hour(timestamptz),
    {schema}.roll_up_day(timestamptz), {schema}.maintain(interval, interval, interval, interval, interval),
    {schema}.maintain(interval, interval, interval, interval, interval, interval),
    {schema}.forget_definitions(timestamptz), {schema}.forget_alerts(interval),
    {schema}.maintain_at(timestamptz, interval, interval, interval, interval, interval), {schema}.note_kept(),
    {schema}.weigh(), {schema}.make_room(interval), {schema}.forget_demo(), {schema}.date_demo(text[], timestamptz[]),
    {schema}.make_partition(text, text, timestamptz, timestamptz) from {reader};
