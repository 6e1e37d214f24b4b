-- Who is connected. PostgreSQL 13 and later. What may not be seen of a session is NULL, its user and database are never.
select coalesce(a.usename::text, '') as "user", a.datname::text as database, coalesce(a.application_name, '') as application,
    host(a.client_addr) as address, count(*) as sessions
from pg_stat_activity a
where a.datid is not null and a.pid <> pg_backend_pid() and coalesce(a.backend_type, 'client backend') = 'client backend'
group by 1, 2, 3, 4
order by 5 desc, 1, 2, 3, 4
limit 1000
