// GORM 1 over lib/pq: what its user sees of a session. Where to connect to stands in the environment, as libpq wants it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jinzhu/gorm"
	"github.com/lib/pq"
)

var version string

type Author struct {
	ID    uint
	Name  string `gorm:"unique_index"`
	Books []Book
}

type Book struct {
	ID       uint
	AuthorID uint
	Title    string
}

type Counted struct{ ID uint }

func (Counted) TableName() string { return "counted" }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Unlike libpq this driver insists on TLS where nothing is said of it.
func source() string {
	if os.Getenv("PGSSLMODE") == "" {
		return "sslmode=disable"
	}
	return ""
}

func code(err error) string {
	if failed, ok := err.(*pq.Error); ok {
		return string(failed.Code) + " " + failed.Message
	}
	return fmt.Sprint(err)
}

func main() {
	fmt.Println("version", version)
	db, err := gorm.Open("postgres", source())
	check(err)
	db.LogMode(false)
	db.DB().SetMaxOpenConns(2)
	check(db.AutoMigrate(&Author{}, &Book{}, &Counted{}).Error)
	check(db.Transaction(func(tx *gorm.DB) error {
		for i := 1; i <= 20; i++ {
			author := Author{Name: fmt.Sprint("author ", i), Books: []Book{{Title: "first"}, {Title: "second"}}}
			if err := tx.Create(&author).Error; err != nil {
				return err
			}
		}
		return nil
	}))
	fmt.Println(code(db.Transaction(func(tx *gorm.DB) error {
		check(tx.Create(&Author{Name: "gone"}).Error)
		return tx.Create(&Author{Name: "author 1"}).Error
	})))
	var authors []Author
	check(db.Preload("Books").Order("id").Where("name like ?", "author 1%").Find(&authors).Error)
	fmt.Println(authors)
	check(db.Model(&Book{}).Where("title = ?", "second").Update("title", gorm.Expr("title || ?", "!")).Error)
	check(db.Where("title = ?", "first").Delete(&Book{}).Error)

	tx, err := db.DB().Begin()
	check(err)
	rows, err := tx.Prepare(pq.CopyIn("books", "author_id", "title"))
	check(err)
	for i := 0; i < 1000; i++ {
		_, err := rows.Exec(1, fmt.Sprint("copied ", i))
		check(err)
	}
	_, err = rows.Exec()
	check(err)
	check(rows.Close())
	check(tx.Commit())
	var books int
	check(db.Model(&Book{}).Count(&books).Error)
	fmt.Println("books", books)

	limited, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	_, err = db.DB().ExecContext(limited, "select pg_sleep(60)")
	cancel()
	fmt.Println(code(err))
	listener := pq.NewListener(source(), time.Second, time.Second, nil)
	check(listener.Listen("news"))
	check(db.Exec("notify news, 'heard'").Error)
	fmt.Println((<-listener.Notify).Extra)
	check(listener.Close())

	for i := 0; i < 100; i++ {
		check(db.Exec("insert into counted (id) values (?)", 1000+i).Error)
	}
	var counted int
	check(db.Model(&Counted{}).Count(&counted).Error)
	fmt.Println("counted", counted)
	check(db.Close())
	fmt.Println("done")
}
