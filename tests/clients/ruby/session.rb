# pg: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.

require "digest"
require "pg"

puts "version #{PG::VERSION}"
db = PG.connect
db.set_notice_processor { |notice| puts "notice #{notice}" }

def attempt(what)
  puts "#{what} #{yield}"
rescue PG::Error => error
  puts "#{what} #{error.class} #{error.result&.error_field(PG::PG_DIAG_SQLSTATE)} #{error.message}"
end

db.exec("create table t (id int primary key, body text)")
db.prepare("insert", "insert into t values ($1, $2)")
50.times { |i| db.exec_prepared("insert", [i, "body #{i}"]) }
p db.exec_params("select * from t where id < $1 order by id", [5]).values
attempt("division") { db.exec("select 1 / 0") }
attempt("duplicate") { db.exec_params("insert into t (id) values ($1)", [1]) }
attempt("syntax") { db.exec("selec") }
db.exec("do $$ begin raise notice 'careful'; end $$")

db.enter_pipeline_mode
20.times { |i| db.send_query_params("select $1::int * 2", [i]) }
db.pipeline_sync
sum = 0
20.times do
  sum += db.get_result.getvalue(0, 0).to_i
  db.get_result
end
db.get_result
db.exit_pipeline_mode
puts "pipeline #{sum}"

db.send_query("select id from t order by id")
db.set_single_row_mode
puts "as they come #{db.get_result.stream_each_row.sum { |row| row[0].to_i }}"
attempt("transaction") { db.transaction { |tx| tx.exec("insert into t (id) values (5000)"); tx.exec("select broken") } }
puts db.exec("select count(*) from t").getvalue(0, 0)

db.copy_data("copy t from stdin") { 3000.times { |i| db.put_copy_data("#{1000 + i}\tcopied\n") } }
digest = Digest::MD5.new
db.copy_data("copy (select * from t order by id) to stdout") { while (row = db.get_copy_data) do digest << row end }
puts "copied #{digest.hexdigest}"
attempt("bad copy") { db.copy_data("copy t from stdin") { db.put_copy_data("x\n") } }

db.transaction do
  object = db.lo_creat
  handle = db.lo_open(object, PG::INV_READ | PG::INV_WRITE)
  db.lo_write(handle, "large " * 10_000)
  db.lo_lseek(handle, 0, PG::SEEK_SET)
  puts "large object #{Digest::MD5.hexdigest(db.lo_read(handle, 60_000))}"
  db.lo_unlink(object)
end

db.exec("listen channel; notify channel, 'payload'")
db.wait_for_notify(30) { |channel, _, payload| puts "notification #{channel} #{payload}" }

db.send_query("do $$ begin raise notice 'running'; perform pg_sleep(600); end $$")
running = false
db.set_notice_processor { running = true }
until running
  db.socket_io.wait_readable
  db.consume_input
  db.is_busy
end
db.cancel
puts "cancelled #{db.get_result.error_field(PG::PG_DIAG_SQLSTATE)}"
db.get_result

db.exec("create table counted (id int primary key)")
100.times { |i| db.exec_params("insert into counted (id) values ($1)", [i]) }
p "counted", db.exec("select count(*), sum(id) from counted").values
db.close
puts "done"
