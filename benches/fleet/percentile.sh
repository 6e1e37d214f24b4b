#!/usr/bin/env bash
# How many minute rows a second PostgreSQL adds up, on one core: percentile(), and the plain unnest that pgvitals itself
# uses. Makes a schema `pgvitals_bench` with no roles in the database of the URL and removes it. On the server's own machine
# the backend's processor time is taken, else the time on the wall.
#
#   benches/fleet/percentile.sh postgres://postgres@localhost/postgres [ROWS] [DURATIONS_PER_ROW]
set -euo pipefail
url=${1:?usage: percentile.sh URL [ROWS] [DURATIONS_PER_ROW]}
rows=${2:-200000}
durations=${3:-12}
pgvitals=${PGVITALS:-$(dirname "$0")/../../target/debug/pgvitals}

{
    echo 'set client_min_messages = warning; drop schema if exists pgvitals_bench cascade;'
    "$pgvitals" migrate --print --single-role --store-schema pgvitals_bench
    cat <<SQL
set search_path = pgvitals_bench;
-- A statement of about 2 ms, log-normal, in hdrhistogram's buckets of two digits.
create table minute as
with drawn as (
    select g / $durations as id, exp(ln(2000) + 0.35 * sqrt(-2 * ln(random() + 1e-12)) * cos(2 * pi() * random()))::int as us
    from generate_series(0, $rows * $durations - 1) g
), bucket as (
    select id, ((us >> k) + 1 << k) - 1 as top, count(*)::int as n
    from (select id, us, greatest(0, floor(log(2, greatest(us, 1)))::int - 7) as k from drawn) x group by 1, 2
)
select id, array_agg(top order by top) as buckets_us, array_agg(n order by top) as counts from bucket group by id;
vacuum analyze minute;
set max_parallel_workers_per_gather = 0;
set jit = off;
select round(avg(cardinality(counts)), 1) as each, (select count(distinct b) from (select unnest(buckets_us) b from minute) x) as distinct_buckets from minute \gset
\echo :each 'buckets a row,' :distinct_buckets 'distinct'
select pg_backend_pid() as pid \gset
\setenv PID :pid
\setenv ROWS $rows
SQL
    measure() {
        # shellcheck disable=SC2016 # psql and its shell expand these.
        printf '%s\n' '\set a `awk "{print (\$14 + \$15) * 10}" /proc/$PID/stat 2>/dev/null || date +%s%3N`' \
            "$2" '\set b `awk "{print (\$14 + \$15) * 10}" /proc/$PID/stat 2>/dev/null || date +%s%3N`' \
            '\setenv A :a' '\setenv B :b' "\\! printf '%-28s %8d rows/s\\n' '$1' \$((ROWS * 1000 / (B - A)))"
    }
    for _ in 1 2 3; do
        measure 'percentile()' 'select percentile(0.95, buckets_us, counts) as p95 from minute \gset'
        measure 'unnest, 3 quantiles' 'select min(b) filter (where seen >= 0.5 * total) as p50,
            min(b) filter (where seen >= 0.95 * total) as p95, min(b) filter (where seen >= 0.99 * total) as p99 from (
                select b, sum(n) over (order by b) as seen, sum(n) over () as total from (
                    select b, sum(n) as n from (select unnest(buckets_us) as b, unnest(counts) as n from minute) u group by b
                ) m
            ) r \gset'
        measure 'unnest alone' 'select count(*) as n from (select unnest(buckets_us), unnest(counts) from minute) u \gset'
    done
    echo 'set client_min_messages = warning; drop schema pgvitals_bench cascade;'
} | psql "$url" -XqAt -v ON_ERROR_STOP=1
