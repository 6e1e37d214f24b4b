-- What the role may see. PostgreSQL 13 and later; pg_read_all_data since 14.
select
    coalesce((select pg_has_role(current_user, r.oid, 'usage') from pg_roles r where r.rolname = 'pg_read_all_data'), false)
        or (select s.rolsuper from pg_roles s where s.rolname = current_user) as reads_all,
    exists (select from pg_extension where extname = 'pg_stat_statements') as counts_calls,
    array(
        select d.datname::text from pg_database d
        where d.datallowconn and not d.datistemplate and not has_database_privilege(d.oid, 'connect')
        order by d.datname
    ) as closed
