// clickhouse-go over HTTP, as Grafana's data source opens it: `clients HOST:PORT USER PASSWORD TABLE` prints, as
// JSON, what came of each feature, "" where it works.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

var address, table = os.Args[1], os.Args[4]

func open(user, password string, compression clickhouse.CompressionMethod) *sql.DB {
	return clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{address},
		Auth:        clickhouse.Auth{Database: "default", Username: user, Password: password},
		ClientInfo:  clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"grafana", "12"}}},
		Compression: &clickhouse.Compression{Method: compression},
		DialTimeout: 5 * time.Second,
		ReadTimeout: 20 * time.Second,
		Protocol:    clickhouse.HTTP,
		Settings:    clickhouse.Settings{"max_execution_time": 15},
	})
}

func expect[T comparable](got, wanted T, err error) error {
	if err == nil && got != wanted {
		return fmt.Errorf("%v, not %v", got, wanted)
	}
	return err
}

func insert(db *sql.DB) error {
	scope, err := db.Begin()
	if err != nil {
		return err
	}
	batch, err := scope.Prepare("INSERT INTO " + table + " (id, name, at, score, tags)")
	if err != nil {
		return err
	}
	at, score := time.Date(2026, 3, 1, 12, 30, 15, 250_000_000, time.UTC), 4.5
	for id := uint32(0); id < 1000; id++ {
		if _, err := batch.Exec(id, "shop", at, &score, map[string]string{"a": "1"}); err != nil {
			return err
		}
	}
	if err := scope.Commit(); err != nil {
		return err
	}
	var rows uint64
	err = db.QueryRow("SELECT count() FROM " + table).Scan(&rows)
	return expect(rows, 1000, err)
}

func typed(db *sql.DB) error {
	var name string
	var at time.Time
	var score *float64
	var tags map[string]string
	var list []string
	asked := "SELECT name, at, score, tags, ['a', 'b'] FROM " + table + " WHERE id = 7"
	if err := db.QueryRow(asked).Scan(&name, &at, &score, &tags, &list); err != nil {
		return err
	}
	got := fmt.Sprint(name, at.UTC().Format(time.RFC3339Nano), *score, tags, list)
	return expect(got, "shop2026-03-01T12:30:15.25Z4.5 map[a:1] [a b]", nil)
}

func stream(db *sql.DB) error {
	rows, err := db.Query("SELECT number FROM numbers(300000)")
	if err != nil {
		return err
	}
	defer rows.Close()
	var sum, number uint64
	for rows.Next() {
		if err := rows.Scan(&number); err != nil {
			return err
		}
		sum += number
	}
	return expect(sum, 300_000*299_999/2, rows.Err())
}

func parameters(db *sql.DB) error {
	var text string
	err := db.QueryRow("SELECT {text:String}", clickhouse.Named("text", "it's")).Scan(&text)
	return expect(text, "it's", err)
}

func settings(db *sql.DB) error {
	var limit uint64
	context := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 77}))
	err := db.QueryRowContext(context, "SELECT getSetting('max_block_size')").Scan(&limit)
	return expect(limit, 77, err)
}

func failure(db *sql.DB) error {
	var refused *clickhouse.Exception
	_, err := db.Query("SELECT * FROM nowhere")
	if !errors.As(err, &refused) {
		return fmt.Errorf("not an exception: %w", err)
	}
	return expect(refused.Code, 60, nil)
}

func readOnly(db *sql.DB) error {
	reader := open(os.Args[2], os.Args[3], clickhouse.CompressionGZIP)
	var rows uint64
	if err := reader.QueryRow("SELECT count() FROM " + table).Scan(&rows); err != nil {
		return err
	}
	var refused *clickhouse.Exception
	if _, err := reader.Exec("DROP TABLE " + table); !errors.As(err, &refused) {
		return fmt.Errorf("not refused: %w", err)
	}
	return expect(refused.Code, 164, nil)
}

func compressed(*sql.DB) error {
	db := open("default", "", clickhouse.CompressionGZIP)
	if err := stream(db); err != nil {
		return err
	}
	_, err := db.Exec("INSERT INTO "+table+" (id) VALUES (?)", 5000)
	return err
}

func main() {
	db := open("default", "", clickhouse.CompressionNone)
	features := map[string]func(*sql.DB) error{
		"ping": func(db *sql.DB) error { return db.Ping() }, "typed query": typed, "streaming": stream,
		"parameters": parameters, "settings": settings, "error codes": failure, "read-only user": readOnly,
		"gzip": compressed,
	}
	came := map[string]string{"typed insert": said(insert(db))}
	for name, feature := range features {
		came[name] = said(feature(db))
	}
	_ = json.NewEncoder(os.Stdout).Encode(came)
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
