-- What pgstattuple finds in a table and in its TOAST table, at most: pages that are all visible are not read. $1: the
-- table's oid; {extension} is the extension's schema.
select a.table_len, a.dead_tuple_len, a.approx_free_space::bigint as free_bytes, false as is_toast
from {extension}.pgstattuple_approx($1::oid::regclass) a
union all
select a.table_len, a.dead_tuple_len, a.approx_free_space::bigint, true
from pg_class c
cross join lateral {extension}.pgstattuple_approx(c.reltoastrelid::regclass) a
where c.oid = $1 and c.reltoastrelid <> 0
