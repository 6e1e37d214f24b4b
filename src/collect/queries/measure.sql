-- What pgstattuple finds in a table, at most: pages that are all visible are not read. $1: its oid; {extension} is the
-- extension's schema.
select a.table_len, a.dead_tuple_len, a.approx_free_space::bigint as free_bytes
from {extension}.pgstattuple_approx($1::oid::regclass) a
