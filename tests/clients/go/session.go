// pgx, and database/sql over it: what their user sees of a session. Where to connect to stands in the environment, as
// libpq wants it.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	_ "github.com/jackc/pgx/v4/stdlib"
)

// The package that this is built with; the linker fills it in.
var version string

var ctx = context.Background()

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func attempt(what string, err error) {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		fmt.Println(what, said.Severity, said.Code, said.Message, said.Detail, said.Position)
	} else {
		fmt.Println(what, err)
	}
}

func rows(conn *pgx.Conn, sql string, values ...interface{}) [][]interface{} {
	found, err := conn.Query(ctx, sql, values...)
	must(err)
	defer found.Close()
	var all [][]interface{}
	for found.Next() {
		row, err := found.Values()
		must(err)
		all = append(all, row)
	}
	must(found.Err())
	return all
}

func statements(conn *pgx.Conn) {
	_, err := conn.Exec(ctx, "create table t (id int primary key, body text, numbers int[])")
	must(err)
	for i := 0; i < 50; i++ {
		_, err := conn.Exec(ctx, "insert into t values ($1, $2, $3)", i, fmt.Sprint("body ", i), []int32{int32(i), 7})
		must(err)
	}
	fmt.Println(rows(conn, "select id, body, numbers::text from t where id < $1 order by id", 5))
	_, err = conn.Prepare(ctx, "by id", "select body from t where id = $1")
	must(err)
	for i := 0; i < 5; i++ {
		fmt.Println(rows(conn, "by id", i))
	}
	fmt.Println(rows(conn, "select $1::int + 1", pgx.QuerySimpleProtocol(true), 41))

	batch := &pgx.Batch{}
	for i := 0; i < 200; i++ {
		batch.Queue("select $1::int * 2", i)
	}
	results := conn.SendBatch(ctx, batch)
	sum := 0
	for i := 0; i < 200; i++ {
		var value int
		must(results.QueryRow().Scan(&value))
		sum += value
	}
	must(results.Close())
	fmt.Println("batch", sum)
	failing := &pgx.Batch{}
	for _, divisor := range []int{1, 0, 2} {
		failing.Queue("select 10 / $1::int", divisor)
	}
	results = conn.SendBatch(ctx, failing)
	for i := 0; i < 3; i++ {
		var value int
		attempt("failing batch", results.QueryRow().Scan(&value))
	}
	results.Close()
	_, err = conn.Exec(ctx, "select 1 / 0")
	attempt("division", err)
	_, err = conn.Exec(ctx, "insert into t (id) values ($1)", 1)
	attempt("duplicate", err)
	_, err = conn.Exec(ctx, "selec")
	attempt("syntax", err)
}

func transactions(conn *pgx.Conn) {
	tx, err := conn.Begin(ctx)
	must(err)
	inner, err := tx.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, "select broken")
	attempt("savepoint", err)
	must(inner.Rollback(ctx))
	large := tx.LargeObjects()
	oid, err := large.Create(ctx, 4242)
	must(err)
	object, err := large.Open(ctx, oid, pgx.LargeObjectModeRead|pgx.LargeObjectModeWrite)
	must(err)
	_, err = object.Write(bytes.Repeat([]byte("large "), 20000))
	must(err)
	_, err = object.Seek(6, io.SeekStart)
	must(err)
	hash := md5.New()
	length, err := io.Copy(hash, object)
	must(err)
	fmt.Printf("large object %d %x\n", length, hash.Sum(nil))
	must(large.Unlink(ctx, oid))
	must(tx.Commit(ctx))
}

func streams(conn *pgx.Conn) {
	var source [][]interface{}
	for i := 1000; i < 4000; i++ {
		source = append(source, []interface{}{int32(i), "copied", []int32{1}})
	}
	count, err := conn.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id", "body", "numbers"}, pgx.CopyFromRows(source))
	must(err)
	hash := md5.New()
	tag, err := conn.PgConn().CopyTo(ctx, hash, "copy (select * from t order by id) to stdout")
	must(err)
	fmt.Printf("copied %d %s %x\n", count, tag, hash.Sum(nil))
	_, err = conn.PgConn().CopyFrom(ctx, bytes.NewReader([]byte("x\n")), "copy t from stdin")
	attempt("bad copy", err)

	_, err = conn.Exec(ctx, "listen channel; notify channel, 'payload'")
	must(err)
	note, err := conn.WaitForNotification(ctx)
	must(err)
	fmt.Println("notification", note.Channel, note.Payload)

	// A context's end closes the connection; this asks the server to cancel first.
	go func() {
		watcher, err := pgx.Connect(ctx, "")
		must(err)
		defer watcher.Close(ctx)
		sleeping := "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'"
		for n := 0; n == 0; {
			must(watcher.QueryRow(ctx, sleeping, conn.PgConn().PID()).Scan(&n))
		}
		must(conn.PgConn().CancelRequest(ctx))
	}()
	_, err = conn.Exec(ctx, "select pg_sleep(600)")
	attempt("cancelled", err)
	fmt.Println(rows(conn, "select 'alive'"))
}

func pools() {
	pool, err := pgxpool.Connect(ctx, "pool_max_conns=4")
	must(err)
	defer pool.Close()
	answers := make(chan int)
	for i := 0; i < 100; i++ {
		go func(i int) {
			var value int
			must(pool.QueryRow(ctx, "select $1::int", i).Scan(&value))
			answers <- value
		}(i)
	}
	sum := 0
	for i := 0; i < 100; i++ {
		sum += <-answers
	}
	fmt.Println("pool", sum)

	db, err := sql.Open("pgx", "")
	must(err)
	defer db.Close()
	db.SetConnMaxLifetime(time.Hour)
	statement, err := db.Prepare("select $1::text || ' through database/sql'")
	must(err)
	var text string
	must(statement.QueryRow("prepared").Scan(&text))
	fmt.Println(text)
	_, err = db.Exec("create table counted (id int primary key)")
	must(err)
	for i := 0; i < 50; i++ {
		_, err := db.Exec("insert into counted (id) values ($1)", i)
		must(err)
	}
}

func main() {
	fmt.Println("version", version)
	config, err := pgx.ParseConfig("")
	must(err)
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { fmt.Println("notice", notice.Severity, notice.Message) }
	conn, err := pgx.ConnectConfig(ctx, config)
	must(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "do $$ begin raise notice 'careful'; end $$")
	must(err)
	statements(conn)
	transactions(conn)
	streams(conn)
	pools()
	for i := 50; i < 100; i++ {
		_, err := conn.Exec(ctx, "insert into counted (id) values ($1)", i)
		must(err)
	}
	fmt.Println("counted", rows(conn, "select count(*), sum(id) from counted"))
	fmt.Println("done")
}
