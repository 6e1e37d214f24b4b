-- Calls as pg_stat_statements before 1.9 counts them (PostgreSQL 13): it knows neither its resets nor what it evicted.
select coalesce(r.rolname::text, '') as "user", coalesce(d.datname::text, '') as database, sum(s.calls)::bigint as calls,
    null::bigint as since, null::bigint as evictions
from {extension}.pg_stat_statements(false) s
left join pg_roles r on r.oid = s.userid
left join pg_database d on d.oid = s.dbid
group by 1, 2
order by 3 desc
