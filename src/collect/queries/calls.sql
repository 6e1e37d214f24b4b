-- Calls as pg_stat_statements 1.9 and later counts them (PostgreSQL 14); {extension} is its schema.
select coalesce(r.rolname::text, '') as "user", coalesce(d.datname::text, '') as database, sum(s.calls)::bigint as calls,
    (select (extract(epoch from i.stats_reset) * 1000000)::bigint from {extension}.pg_stat_statements_info i) as since,
    (select i.dealloc from {extension}.pg_stat_statements_info i) as evictions
from {extension}.pg_stat_statements(false) s
left join pg_roles r on r.oid = s.userid
left join pg_database d on d.oid = s.dbid
where s.toplevel
group by 1, 2
order by 3 desc
