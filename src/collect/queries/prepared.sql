-- Prepared transactions. PostgreSQL 13 and later.
select p.gid, p.database::text, p.owner::text as "user",
    (extract(epoch from p.prepared) * 1000000)::bigint as prepared_at, age(p.transaction)::bigint as xid_age
from pg_prepared_xacts p
order by p.prepared
