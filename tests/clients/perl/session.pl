# DBD::Pg: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.

use strict;
use warnings;
use DBI;
use DBD::Pg qw(:async PG_BYTEA);
use Digest::MD5 qw(md5_hex);

$| = 1;
print "version $DBD::Pg::VERSION\n";
my $db = DBI->connect("dbi:Pg:", undef, undef, { RaiseError => 1, PrintError => 0, PrintWarn => 1, AutoCommit => 1 });
$SIG{__WARN__} = sub { print "notice @_" };

sub attempt {
    my ($what, $action) = @_;
    my $result = eval { $action->() };
    print "$what ", defined $result ? $result : $db->state . " " . $db->errstr, "\n";
}

$db->do("create table t (id int primary key, body text, data bytea)");
my $insert = $db->prepare("insert into t values (?, ?, ?)");
$insert->bind_param(3, undef, { pg_type => PG_BYTEA });
$insert->execute($_, "body $_", join "", map { chr } 0 .. 255) for 0 .. 49;
my $rows = $db->selectall_arrayref("select id, body, length(data) from t where id < ? order by id", {}, 5);
print join(" ", map { "(@$_)" } @$rows), "\n";
attempt("division", sub { $db->do("select 1 / 0") });
attempt("duplicate", sub { $db->do("insert into t (id) values (1)") });
attempt("syntax", sub { $db->do("selec") });
$db->do("do \$\$ begin raise warning 'careful'; end \$\$");

$db->begin_work;
$db->do("declare c cursor for select id from t order by id");
print scalar(@{ $db->selectall_arrayref("fetch 7 from c") }), " fetched\n";
$db->pg_savepoint("s");
attempt("savepoint", sub { $db->do("select broken") });
$db->pg_rollback_to("s");
my $object = $db->pg_lo_creat($db->{pg_INV_READ} | $db->{pg_INV_WRITE});
my $handle = $db->pg_lo_open($object, $db->{pg_INV_WRITE});
$db->pg_lo_write($handle, "large " x 10000, 60000);
$db->pg_lo_lseek($handle, 0, 0);
my $read = "";
$db->pg_lo_read($handle, $read, 60000);
print "large object ", md5_hex($read), "\n";
$db->pg_lo_unlink($object);
$db->commit;

$db->do("copy t (id, body) from stdin");
$db->pg_putcopydata("$_\tcopied\n") for 1000 .. 3999;
$db->pg_putcopyend;
$db->do("copy (select id, body from t order by id) to stdout");
my ($out, $line) = ("", "");
$out .= $line while $db->pg_getcopydata($line) >= 0;
print "copied ", md5_hex($out), "\n";

$db->do("listen channel");
$db->do("notify channel, 'payload'");
my $note = $db->pg_notifies;
print "notification $note->[0] $note->[2]\n";
$db->do("select pg_sleep(600)", { pg_async => PG_ASYNC });
# Who cancels before the server began cancels nothing.
my $watcher = DBI->connect("dbi:Pg:", undef, undef, { RaiseError => 1 });
my $sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
1 until $watcher->selectrow_array($sleeping);
$watcher->disconnect;
$db->pg_cancel;
print "alive ", $db->selectrow_array("select 'after cancelling'"), "\n";

$db->do("create table counted (id int primary key)");
$insert = $db->prepare("insert into counted (id) values (?)");
$insert->execute($_) for 0 .. 99;
print "counted @{[ $db->selectrow_array('select count(*), sum(id) from counted') ]}\n";
$db->disconnect;
print "done\n";
