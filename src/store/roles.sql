-- Roles of the whole cluster, made before the tables. Who may log in as a writer or reader, and how, is the owner's:
-- ALTER ROLE … PASSWORD, or GRANT … TO a role that exists. Another database's migration may make them at the same time.
do $$
begin
    if not exists (select from pg_roles where rolname = '{owner_name}') then
        create role {owner} nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    if not exists (select from pg_roles where rolname = '{writer_name}') then
        create role {writer} login;
    end if;
exception when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    if not exists (select from pg_roles where rolname = '{reader_name}') then
        create role {reader} login;
        alter role {reader} set statement_timeout = '30s';
    end if;
exception when duplicate_object or unique_violation then null;
end
$$;
-- Whoever made the owner may become it; a superuser may anyway.
do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        grant {owner} to current_user;
    end if;
exception when insufficient_privilege then null;
end
$$;
