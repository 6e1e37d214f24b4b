<?php
// PHP's pgsql and PDO: what their user sees of a session. Where to connect to stands in the environment, as libpq wants it.

/** Runs something that may fail, and says how. */
function attempt(string $what, callable $action): void
{
    try {
        $result = json_encode($action());
        echo $what, " ", $result, "\n";
    } catch (PDOException $error) {
        echo $what, " ", $error->getCode(), " ", $error->getMessage(), "\n";
    }
}

$db = pg_connect("");
echo "version " . PHP_VERSION . " with libpq " . pg_version($db)["client"] . "\n";
pg_query($db, "create table t (id int primary key, body text)");
pg_prepare($db, "insert", 'insert into t values ($1, $2)');
for ($i = 0; $i < 50; $i++) {
    pg_execute($db, "insert", [$i, "body $i"]);
}
echo json_encode(pg_fetch_all(pg_query_params($db, 'select * from t where id < $1 order by id', [5]))), "\n";
echo json_encode(@pg_query($db, "select 1 / 0")), " ", pg_last_error($db), "\n";
pg_query($db, "do $$ begin raise notice 'careful'; end $$");
echo pg_last_notice($db), "\n";
echo json_encode(pg_copy_from($db, "t", array_map(fn ($i) => "$i\tcopied\n", range(1000, 3999)))), "\n";
echo md5(implode("", pg_copy_to($db, "(select * from t order by id)") ?: [])), "\n";
pg_query($db, "listen channel; notify channel, 'payload'");
$note = pg_get_notify($db);
echo $note["message"], " ", $note["payload"], "\n";
pg_send_query($db, "select pg_sleep(600)");
// Who cancels before the server began cancels nothing.
$watcher = pg_connect("", PGSQL_CONNECT_FORCE_NEW);
$sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
while (pg_fetch_result(pg_query($watcher, $sleeping), 0) == 0);
pg_close($watcher);
echo json_encode(pg_cancel_query($db)), " ", pg_fetch_result(pg_query($db, "select 'alive'"), 0), "\n";
pg_close($db);

foreach ([false, true] as $emulate) {
    $pdo = new PDO("pgsql:", null, null, [PDO::ATTR_EMULATE_PREPARES => $emulate, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $select = $pdo->prepare("select body from t where id = ?");
    for ($i = 0; $i < 5; $i++) {
        $select->execute([$i]);
        echo $select->fetchColumn(), "\n";
    }
    attempt("division", fn () => $pdo->query("select 1 / 0"));
    attempt("duplicate", fn () => $pdo->prepare("insert into t (id) values (?)")->execute([1]));
    attempt("syntax", fn () => $pdo->query("selec"));
    $pdo->beginTransaction();
    $oid = $pdo->pgsqlLOBCreate();
    $stream = $pdo->pgsqlLOBOpen($oid, "w+");
    fwrite($stream, str_repeat("large ", 10000));
    fseek($stream, 0);
    echo "large object ", md5(stream_get_contents($stream)), "\n";
    $stream = null;
    $pdo->pgsqlLOBUnlink($oid);
    attempt("in a transaction", fn () => $pdo->exec("select broken"));
    $pdo->rollBack();
    $pdo->exec("create table if not exists counted (id int primary key)");
    $insert = $pdo->prepare("insert into counted (id) values (?)");
    for ($i = 0; $i < 50; $i++) {
        $insert->execute([$emulate ? $i + 50 : $i]);
    }
    echo "counted ", json_encode($pdo->query("select count(*), sum(id) from counted")->fetch(PDO::FETCH_NUM)), "\n";
}
echo "done\n";
