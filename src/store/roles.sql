-- Roles of the whole cluster, made before the tables. Who may log in as a writer or reader, and how, is the owner's:
-- ALTER ROLE … PASSWORD, or GRANT … TO a role that exists.
do $$
begin
    create role {owner} nologin;
exception when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    create role {writer} login;
exception when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
    create role {reader} login;
    alter role {reader} set statement_timeout = '30s';
exception when duplicate_object or unique_violation then null;
end
$$;
grant {owner} to current_user;
