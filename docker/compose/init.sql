-- The server to try it with. The image runs this once, when it makes the cluster.
\getenv orders ORDERS_PASSWORD
\getenv pgvitals PGVITALS_PASSWORD
\getenv reader READER_PASSWORD
create role orders login password :'orders';
create database orders owner orders;
-- What the monitoring tables want: a role that makes them, and the one that Grafana reads them as.
create role pgvitals login createrole password :'pgvitals';
create role pgvitals_reader login password :'reader';
create database monitoring owner pgvitals;
-- What a look at the server wants (docs/health.md).
grant pg_monitor, pg_read_all_data to pgvitals;
