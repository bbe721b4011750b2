// river N - N lifecycles of River: inserted by InsertManyFast (COPY), worked by many
// goroutines, completed by its batch completer, each with a recorded output. Jobs are unique
// by a number among their arguments, but with RIVAL_BARE.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

type args struct {
	I    int    `json:"i" river:"unique"`
	Text string `json:"text"`
}

func (args) Kind() string { return "nothing" }

type output struct {
	Text string `json:"text"`
}

type worker struct {
	river.WorkerDefaults[args]
}

// 280 bytes each that do not compress.
var texts = func() (t [1000]string) {
	b := make([]byte, 210)
	for i := range t {
		must(rand.Read(b))
		t[i] = base64.StdEncoding.EncodeToString(b)
	}
	return
}()

var result = output{strings.Repeat("y", 290)}

func (worker) Work(ctx context.Context, _ *river.Job[args]) error {
	return river.RecordOutput(ctx, result)
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
	return v
}

func setting(name string, otherwise int) int {
	if s := os.Getenv(name); s != "" {
		return must(strconv.Atoi(s))
	}
	return otherwise
}

func main() {
	ctx := context.Background()
	n := must(strconv.Atoi(os.Args[1]))
	config := must(pgxpool.ParseConfig(""))
	config.MaxConns = 20
	pool := must(pgxpool.NewWithConfig(ctx, config))
	must(pool.Exec(ctx, "drop schema if exists river cascade; create schema river"))
	driver := riverpgxv5.New(pool)
	migrator := must(rivermigrate.New(driver, &rivermigrate.Config{Schema: "river"}))
	must(migrator.Migrate(ctx, rivermigrate.DirectionUp, nil))

	workers := river.NewWorkers()
	river.AddWorker(workers, worker{})
	client := must(river.NewClient(driver, &river.Config{
		Schema:            "river",
		Workers:           workers,
		Logger:            slog.New(slog.NewTextHandler(io.Discard, nil)),
		FetchCooldown:     time.Duration(setting("RIVAL_COOLDOWN_MS", 2)) * time.Millisecond,
		FetchPollInterval: 20 * time.Millisecond,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: setting("RIVAL_WORKERS", 2000)}},
	}))

	var opts *river.InsertOpts
	if os.Getenv("RIVAL_BARE") == "" {
		opts = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
	}
	begin := time.Now()
	for at := 0; at < n; at += 1000 {
		jobs := make([]river.InsertManyParams, 0, 1000)
		for i := at; i < min(at+1000, n); i++ {
			jobs = append(jobs, river.InsertManyParams{Args: args{i, texts[i%len(texts)]}, InsertOpts: opts})
		}
		must(client.InsertManyFast(ctx, jobs))
	}
	add := time.Since(begin).Seconds()
	must(pool.Exec(ctx, "analyze"))

	ended, unsubscribe := client.SubscribeConfig(&river.SubscribeConfig{
		ChanSize: n + 1, Kinds: []river.EventKind{river.EventKindJobCompleted}})
	defer unsubscribe()
	var done atomic.Int64
	begin = time.Now()
	must(0, client.Start(ctx))
	for range ended {
		if done.Add(1) == int64(n) {
			break
		}
	}
	work := time.Since(begin).Seconds()
	must(0, client.Stop(ctx))
	var left int
	must(0, pool.QueryRow(ctx, "select count(*) from river.river_job where state <> 'completed'").Scan(&left))
	if left > 0 {
		must(0, fmt.Errorf("%d jobs are not completed", left))
	}
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{"jobs": n, "add_s": add, "work_s": work}))
}
