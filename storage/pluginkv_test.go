package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// set stores a value, which must fit, and returns whether there was one.
func set(t testing.TB, kv storage.PluginKV, key string, value []byte) bool {
	t.Helper()
	return must(kv.Set(context.Background(), key, value))(t)
}

// holds checks what is under a key, nil = nothing.
func holds(t testing.TB, kv storage.PluginKV, key string, want []byte) {
	t.Helper()
	value, ok, err := kv.Get(context.Background(), key)
	if err != nil || ok != (want != nil) || !bytes.Equal(value, want) {
		t.Errorf("%q holds %q, %v, %v; want %q", key, value, ok, err, want)
	}
}

func TestPluginKV(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		kv, other := db.PluginKV("a"), db.PluginKV("b")
		holds(t, kv, "k", nil)
		equal(t, "deleted nothing", must(kv.Delete(ctx, "k"))(t), false)
		equal(t, "new", set(t, kv, "k", []byte("it's\x00\xff?")), false)
		equal(t, "of another plugin", set(t, other, "k", nil), false)
		holds(t, kv, "k", []byte("it's\x00\xff?"))
		holds(t, other, "k", []byte{})
		equal(t, "again", set(t, kv, "k", []byte("2")), true)
		holds(t, kv, "k", []byte("2"))
		equal(t, "empty", set(t, kv, "e", []byte{}), false)
		equal(t, "empty again", set(t, kv, "e", nil), true)
		equal(t, "deleted", must(kv.Delete(ctx, "k"))(t), true)
		holds(t, kv, "k", nil)
		if err := db.DropPluginKV(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		holds(t, kv, "e", nil)
		holds(t, other, "k", []byte{})
		equal(t, "totals", must(db.Count(ctx, "SELECT count(*) FROM plugin_kv_totals"))(t), int64(1))
		equal(t, "last change", must(db.LastChange(ctx))(t), int64(0))
	})
}

func TestPluginKVRefuses(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		kv := db.PluginKV("a")
		for name, key := range map[string]string{"empty": "", "long": strings.Repeat("é", 129), "NUL": "\x00", "no text": "\xff"} {
			_, err := kv.Set(ctx, key, nil)
			_, _, gotten := kv.Get(ctx, key)
			_, deleted := kv.Delete(ctx, key)
			for _, err := range []error{err, gotten, deleted} {
				t.Run(name, func(t *testing.T) { fails(t, err, domain.Invalid("key", "must be text of 1 to 256 bytes")) })
			}
		}
		_, err := kv.Set(ctx, "k", make([]byte, 64<<10+1))
		fails(t, err, domain.Invalid("value", "must be at most 64 KiB"))
		set(t, kv, strings.Repeat("é", 128), make([]byte, 64<<10))
	})
}

// The last byte fits and the next does not; what is replaced or deleted makes room.
func TestPluginKVBytes(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		kv := db.PluginKV("a")
		const size = 64<<10 - 2
		for i := range 16 { // the keys have two bytes
			set(t, kv, fmt.Sprintf("%02d", i), make([]byte, size))
		}
		full := domain.Invalid("", "a plugin may keep at most 1 MiB of keys and values")
		_, err := kv.Set(ctx, "k", nil)
		fails(t, err, full)
		_, err = kv.Set(ctx, "00", make([]byte, size+1))
		fails(t, err, full)
		holds(t, kv, "00", make([]byte, size))
		holds(t, kv, "k", nil)
		equal(t, "less", set(t, kv, "00", make([]byte, size-2)), true)
		equal(t, "into the room", set(t, kv, "k", []byte("v")), false)
		_, err = kv.Set(ctx, "l", nil)
		fails(t, err, full)
		equal(t, "deleted", must(kv.Delete(ctx, "01"))(t), true)
		equal(t, "into the room", set(t, kv, "01", make([]byte, size)), false)
		set(t, db.PluginKV("b"), "k", make([]byte, size))
	})
}

func TestPluginKVKeys(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		kv := db.PluginKV("a")
		for i := range 1000 {
			set(t, kv, fmt.Sprint(i), nil)
		}
		_, err := kv.Set(ctx, "one more", nil)
		fails(t, err, domain.Invalid("", "a plugin may keep at most 1000 keys"))
		equal(t, "one that is there", set(t, kv, "999", []byte("v")), true)
		equal(t, "deleted", must(kv.Delete(ctx, "0"))(t), true)
		equal(t, "in its place", set(t, kv, "one more", nil), false)
	})
}

// Two processes that count up the same total lose nothing of it.
func TestPluginKVTotalsHold(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		kv := db.PluginKV("a")
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 10 {
					if _, err := kv.Set(ctx, fmt.Sprint(w, i), []byte("12")); err != nil {
						t.Error(err)
					}
					if i%2 == 0 {
						if _, err := kv.Delete(ctx, fmt.Sprint(w, i)); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		equal(t, "keys", must(db.Count(ctx, "SELECT keys FROM plugin_kv_totals"))(t), int64(20))
		equal(t, "bytes", must(db.Count(ctx, "SELECT bytes FROM plugin_kv_totals"))(t), int64(20*5))
	})
}
