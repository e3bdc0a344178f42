package storage

import (
	"context"
	"database/sql"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// MigrationFiles are the real migrations, for tests that add others.
var MigrationFiles = migrationFiles

// Connect opens a database without a look at its schema. Its hot queries are not prepared.
func Connect(ctx context.Context, o Options) (*DB, error) { return connect(ctx, o) }

// MigrateWith migrates with other files than the embedded ones.
func (db *DB) MigrateWith(ctx context.Context, files fs.FS) error {
	return db.migrate(ctx, files, zap.NewNop())
}

// ExecOnWriter runs a statement on the writer connection, for what no caller may do.
func (db *DB) ExecOnWriter(ctx context.Context, query string) error {
	_, err := db.write.DB.ExecContext(ctx, query)
	return err
}

// Count returns what a query that counts answers.
func (db *DB) Count(ctx context.Context, query string) (n int64, err error) {
	err = db.raw.row(ctx, query).Scan(&n)
	return n, err
}

// HotTexts are the texts that are prepared on each pool of SQLite.
func HotTexts() (read, write []string) {
	_, own := sqlite{}.prepares()
	return hotReads(), slices.Concat(hotReads(), hotWrites(), own)
}

// Prepared are the texts that are prepared on each pool.
func (db *DB) Prepared() (read, write []string) {
	return slices.Collect(maps.Keys(db.raw.prepared)), slices.Collect(maps.Keys(db.writer.prepared))
}

// Statement is what the transaction runs for a text, nil = the text itself.
func (tx *Tx) Statement(text string) *sql.Stmt { return tx.raw.statement(context.Background(), text) }

// Ran are the hot texts that the transaction has run so far, sorted.
func (tx *Tx) Ran() []string { return slices.Sorted(maps.Keys(tx.raw.inTx)) }

// Statements are all that db keeps prepared.
func (db *DB) Statements() []*sql.Stmt {
	return slices.AppendSeq(slices.Collect(maps.Values(db.raw.prepared)), maps.Values(db.writer.prepared))
}

// DeleteUsersText deletes users.
const DeleteUsersText = deleteUsers

// HourlyQueries are the queries that look for one user in usage_hourly.
var HourlyQueries = map[string]string{"read": usageOfUser, "clear": sqlite{}.text(clearUsage)}

// SoughtQueries are queries that must not read a table from end to end, as SQLite gets them.
func SoughtQueries() map[string]string {
	queries := map[string]string{
		"users of inbound": usersOfInbound, "next of inbound": nextOfInbound, "groups of inbound": groupsOfInbound,
		"next of group": nextOfGroup, "users by Telegram id": usersByTgID, "users by credential": usersByCredential, "users of template": usersOfNextTemplate,
		"users of admin": usersOfAdmin, "count of admin": countOfAdmin, "fetches": fetchesOfUser,
		"move users":      setOfUsers("admin_id = $3", "admin_id = $2"),
		"clear next plan": setOfUsers(clearNextPlan, "next_template = $2"),
		"revise":          "WITH new (user_id, revision) AS (VALUES (1, 2), (2, 3)) " + reviseUsers,
		"members":         membersOfGroup,
		"remove inbounds": userInbounds.remove([][]int64{{1, 2}, {3, 4}}),
		"remove groups":   userGroups.remove([][]int64{{1, 2, 0}, {3, 4, 1}}),
	}
	read, write := HotTexts()
	for _, text := range slices.Concat(read, write) {
		switch text {
		case groupNames, adminNames, inboundIDs, lastID: // of everything in small tables
		default:
			if !strings.HasPrefix(text, "INSERT INTO") {
				queries[text] = sqlite{}.text(text)
			}
		}
	}
	queries["keep traffic"] = sqlite{}.text(keepTraffic)
	return queries
}

// Plan returns the steps in which SQLite would run a query.
func (db *DB) Plan(ctx context.Context, query string, args ...any) ([]string, error) {
	var id, parent, unused int
	var step string
	steps := []string{}
	err := db.scan(ctx, []any{&id, &parent, &unused, &step}, func() { steps = append(steps, step) },
		"EXPLAIN QUERY PLAN "+query, args...)
	return steps, err
}

// OutboxQueries are the queries of the outbox, which may be read by its indexes only, as SQLite gets them.
func OutboxQueries() map[string]string {
	queries := map[string]string{"count": countDeliveries, "resume": resumeQueues}
	for state, query := range listDeliveries {
		queries["list "+string(state)] = query
	}
	for name, text := range map[string]string{
		"due": dueDeliveries, "lost": lostDeliveries, "lease": leaseDeliveries, "delivered": markDelivered, "failed": markFailed,
		"promote": promoteHeads,
		"revive":  reviveDeliveries, "hasten": hastenDeliveries, "bury": buryDeliveries, "drop": dropDeliveries,
	} {
		queries[name] = sqlite{}.text(text)
	}
	for _, r := range retention {
		if r.table == "outbox" {
			queries["prune by "+r.column] = r.find(5)
		}
	}
	return queries
}
