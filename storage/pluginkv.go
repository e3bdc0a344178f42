package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sluicehq/sluice/kernel/domain"
)

// What a plugin is told that keeps too much: see the limits in domain.
var (
	badKVKey   = domain.Invalid("key", "must be text of 1 to 256 bytes")
	badKVValue = domain.Invalid("value", "must be at most 64 KiB")
	manyKVKeys = domain.Invalid("", "a plugin may keep at most 1000 keys")
	muchKV     = domain.Invalid("", "a plugin may keep at most 1 MiB of keys and values")
)

// PluginKV is what one plugin keeps. It is no change: nobody else follows it.
type PluginKV struct {
	db     *DB
	plugin string
}

// PluginKV returns what the plugin of a name keeps.
func (db *DB) PluginKV(plugin string) PluginKV { return PluginKV{db, plugin} }

const (
	kvValue  = "SELECT value FROM plugin_kv WHERE plugin = $1 AND key = $2"
	kvLength = "SELECT length(value) FROM plugin_kv WHERE plugin = $1 AND key = $2"
	kvTotals = "SELECT keys, bytes FROM plugin_kv_totals WHERE plugin = $1"
	setKV    = "INSERT INTO plugin_kv (plugin, key, value) VALUES ($1, $2, $3) ON CONFLICT (plugin, key) DO UPDATE SET value = EXCLUDED.value"
	deleteKV = "DELETE FROM plugin_kv WHERE plugin = $1 AND key = $2"
	setTotal = "INSERT INTO plugin_kv_totals (plugin, keys, bytes) VALUES ($1, $2, $3) " +
		"ON CONFLICT (plugin) DO UPDATE SET keys = EXCLUDED.keys, bytes = EXCLUDED.bytes"
)

// Get returns the value of a key and whether there is one.
func (kv PluginKV) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	if err := checkKVKey(key); err != nil {
		return nil, false, err
	}
	err = kv.db.raw.row(ctx, kvValue, kv.plugin, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return value, err == nil, fail(ctx, kv.db.engine, "read plugin value", err)
}

// Set stores a value under a key and says whether there was one. What goes over a limit is invalid and changes nothing.
// Its cost does not grow with what is there: the totals have a row of their own.
func (kv PluginKV) Set(ctx context.Context, key string, value []byte) (existed bool, err error) {
	if err := checkKVKey(key); err != nil {
		return false, err
	}
	if len(value) > domain.MaxKVValue {
		return false, badKVValue
	}
	err = kv.db.Write(ctx, func(tx *Tx) error {
		var before int64
		if before, existed, err = tx.kvLength(ctx, kv.plugin, key); err != nil {
			return err
		}
		keys, bytes := int64(0), int64(len(value))-before
		if !existed {
			keys, bytes = 1, bytes+int64(len(key))
		}
		if err := tx.addKV(ctx, kv.plugin, keys, bytes); err != nil {
			return err
		}
		_, err := tx.raw.exec(ctx, setKV, kv.plugin, key, append([]byte{}, value...)) // nil would be NULL
		return tx.fail(ctx, "store plugin value", err)
	})
	return existed && err == nil, err
}

// Delete forgets a key and says whether there was one.
func (kv PluginKV) Delete(ctx context.Context, key string) (existed bool, err error) {
	if err := checkKVKey(key); err != nil {
		return false, err
	}
	if _, there, err := kv.Get(ctx, key); err != nil || !there { // most deletions of what is not there write nothing
		return false, err
	}
	err = kv.db.Write(ctx, func(tx *Tx) error {
		var before int64
		if before, existed, err = tx.kvLength(ctx, kv.plugin, key); err != nil || !existed {
			return err
		}
		if err := tx.addKV(ctx, kv.plugin, -1, -before-int64(len(key))); err != nil {
			return err
		}
		_, err := tx.raw.exec(ctx, deleteKV, kv.plugin, key)
		return tx.fail(ctx, "delete plugin value", err)
	})
	return existed && err == nil, err
}

func checkKVKey(key string) error {
	if len(key) == 0 || len(key) > domain.MaxKVKey || !isStorable(key) {
		return badKVKey
	}
	return nil
}

// kvLength returns how long the value of a key is, and whether there is one.
func (tx *Tx) kvLength(ctx context.Context, plugin, key string) (length int64, ok bool, err error) {
	err = tx.scan(ctx, []any{&length}, func() { ok = true }, kvLength, plugin, key)
	return length, ok, tx.fail(ctx, "read plugin value", err)
}

// addKV adds to the totals of a plugin, within its limits.
func (tx *Tx) addKV(ctx context.Context, plugin string, keys, bytes int64) error {
	var hasKeys, hasBytes int64
	err := tx.scan(ctx, []any{&hasKeys, &hasBytes}, func() {}, kvTotals, plugin)
	if err != nil {
		return tx.fail(ctx, "read plugin totals", err)
	}
	hasKeys, hasBytes = hasKeys+keys, hasBytes+bytes
	switch {
	case keys > 0 && hasKeys > domain.MaxKVKeys:
		return manyKVKeys
	case bytes > 0 && hasBytes > domain.MaxKVTotal:
		return muchKV
	}
	_, err = tx.raw.exec(ctx, setTotal, plugin, hasKeys, hasBytes)
	return tx.fail(ctx, "store plugin totals", err)
}

// DropPluginKV forgets everything that a plugin keeps.
func (db *DB) DropPluginKV(ctx context.Context, plugin string) error {
	return db.Write(ctx, func(tx *Tx) error {
		for _, text := range []string{"DELETE FROM plugin_kv WHERE plugin = $1", "DELETE FROM plugin_kv_totals WHERE plugin = $1"} {
			if _, err := tx.raw.exec(ctx, text, plugin); err != nil {
				return tx.fail(ctx, "drop plugin values", err)
			}
		}
		return nil
	})
}
