package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/sluicehq/sluice/kernel/domain"
)

// membership is a table that says which rows of another table users belong to.
type membership struct {
	kind          domain.Kind
	others        string // the other table
	table, column string // this table, and its column with the other's id
	columns       string // all that a row has: user, other, and its place in the user's list if that counts
	order         string // of one user's
	of            func(a *domain.Account) *[]int64
}

// What users belong to.
var (
	inInbounds = membership{
		kind: domain.KindInbound, others: "inbounds", table: "user_inbounds", column: "inbound_id",
		columns: "user_id, inbound_id", order: "inbound_id",
		of: func(a *domain.Account) *[]int64 { return &a.Inbounds },
	}
	inGroups = membership{
		kind: domain.KindGroup, others: "groups", table: "user_groups", column: "group_id",
		columns: "user_id, group_id, position", order: "position",
		of: func(a *domain.Account) *[]int64 { return &a.Groups },
	}
)

// rows are the rows of accounts, whose lists may name one id twice.
func (m membership) rows(accounts []domain.Account) [][]int64 {
	rows, width := [][]int64{}, count(m.columns)
	for i := range accounts {
		ids := *m.of(&accounts[i])
		for at, id := range ids {
			if slices.Index(ids, id) == at {
				rows = append(rows, []int64{accounts[i].User.ID, id, int64(at)}[:width])
			}
		}
	}
	return rows
}

// remove is the statement that removes rows.
func (m membership) remove(rows [][]int64) string {
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (VALUES %s)", m.table, m.columns, tuples(rows))
}

// attached selects the rows of users, by user and in their order.
func (m membership) attached(users string) string {
	return fmt.Sprintf("SELECT user_id, %s FROM %s WHERE %s ORDER BY user_id, %s", m.column, m.table, users, m.order)
}

// members selects all that is in the rows of listed users.
func (m membership) members() string {
	return "SELECT " + m.columns + " FROM " + m.table + " WHERE user_id " + isListed
}

// known selects which listed ids others have.
func (m membership) known() string { return "SELECT id FROM " + m.others + " WHERE id " + isListed }

const (
	inboundsOfUser = "SELECT inbound_id FROM user_inbounds WHERE user_id = $1 ORDER BY inbound_id"
	groupsOfUser   = "SELECT group_id FROM user_groups WHERE user_id = $1 ORDER BY position"
)

// UserInbounds returns the ids of the inbounds that a user is attached to, ascending; none for an unknown user.
func (r *Reader) UserInbounds(ctx context.Context, userID int64) ([]int64, error) {
	return r.ids(ctx, "read inbounds of user", inboundsOfUser, userID)
}

// UserGroups returns the ids of the groups that a user is in, the first one first; none for an unknown user.
func (r *Reader) UserGroups(ctx context.Context, userID int64) ([]int64, error) {
	return r.ids(ctx, "read groups of user", groupsOfUser, userID)
}

// ReplaceInbounds makes Inbounds, in any order, the inbounds of each of these different users, at most 5,000. It gives
// each a new revision, the same that UpdateUsers gave or gives it in this transaction, and fills User.Revision. Nothing
// but User.ID and Inbounds is looked at. An unknown user or inbound is not_found.
func (tx *Tx) ReplaceInbounds(ctx context.Context, accounts []domain.Account) error {
	return tx.replace(ctx, inInbounds, accounts)
}

// ReplaceGroups is ReplaceInbounds for Groups, whose order counts.
func (tx *Tx) ReplaceGroups(ctx context.Context, accounts []domain.Account) error {
	return tx.replace(ctx, inGroups, accounts)
}

// replace writes what is new and removes what is gone: users keep most of what they have.
func (tx *Tx) replace(ctx context.Context, m membership, accounts []domain.Account) error {
	if len(accounts) == 0 {
		return nil
	}
	users := make([]int64, len(accounts))
	for i := range accounts {
		users[i] = accounts[i].User.ID
	}
	if err := tx.revise(ctx, users); err != nil {
		return err
	}
	for i := range accounts {
		accounts[i].User.Revision = tx.logged[row{domain.KindUser, users[i]}]
	}
	has, err := tx.members(ctx, m, users)
	if err != nil {
		return err
	}
	wants := m.rows(accounts)
	for gone := range slices.Chunk(without(has, wants), rowsPerStatement) {
		if _, err := tx.raw.exec(ctx, m.remove(gone)); err != nil {
			return tx.fail(ctx, "remove from "+m.table, err)
		}
	}
	return tx.join(ctx, m, without(wants, has))
}

// members returns the rows of users.
func (tx *Tx) members(ctx context.Context, m membership, users []int64) ([][]int64, error) {
	has, row := [][]int64{}, make([]int64, count(m.columns))
	fields := make([]any, len(row))
	for i := range row {
		fields[i] = &row[i]
	}
	err := tx.scan(ctx, fields, func() { has = append(has, slices.Clone(row)) },
		m.members(), tx.engine.list(users))
	return has, tx.fail(ctx, "read "+m.table, err)
}

// without returns the rows of a, of at most three numbers, that are not in b.
func without(a, b [][]int64) [][]int64 {
	key := func(row []int64) (k [3]int64) { copy(k[:], row); return k }
	in := make(map[[3]int64]bool, len(b))
	for _, row := range b {
		in[key(row)] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(row []int64) bool { return in[key(row)] })
}

// join adds rows that are not there. An id that there is none of is looked for first: the error of the database could
// not say what is unknown.
func (tx *Tx) join(ctx context.Context, m membership, rows [][]int64) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row[1]
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	known, err := tx.ids(ctx, "look for "+m.others, m.known(), tx.engine.list(ids))
	if err == nil && len(known) < len(ids) {
		err = notFound(m.kind, nil)
	}
	if err != nil {
		return tx.fail(ctx, "add to "+m.table, err)
	}
	return tx.insertNumbers(ctx, m.table, m.columns, rows)
}

const reviseUsers = "UPDATE users SET revision = new.revision FROM new WHERE id = new.user_id"

// revise records changes of users and gives the users their revisions, but for those that had one in this transaction:
// it is in their rows. An unknown user is not_found.
func (tx *Tx) revise(ctx context.Context, users []int64) error {
	users = slices.DeleteFunc(slices.Clone(users), func(id int64) bool {
		_, written := tx.logged[row{domain.KindUser, id}]
		return written
	})
	if len(users) == 0 {
		return nil
	}
	if err := tx.recordAll(ctx, domain.KindUser, users); err != nil {
		return err
	}
	revisions := make([][]int64, len(users))
	for i, id := range users {
		revisions[i] = []int64{id, tx.logged[row{domain.KindUser, id}]}
	}
	res, err := tx.raw.exec(ctx,
		"WITH new (user_id, revision) AS (VALUES "+tuples(revisions)+") "+reviseUsers)
	return tx.wroteAll(ctx, domain.KindUser, len(users), res, err)
}

// insertRow writes one row of a table.
func insertRow(table, columns string) string {
	row := ""
	for i := range count(columns) {
		row += fmt.Sprintf(", $%d", i+1)
	}
	return "INSERT INTO " + table + " (" + columns + ") VALUES (" + row[2:] + ")"
}

// rowsPerStatement: longer texts cost more by the row.
const rowsPerStatement = 1000

// insertNumbers writes rows of integers, which need no quoting: in one text they cost a fraction of a statement each.
func (tx *Tx) insertNumbers(ctx context.Context, table, columns string, rows [][]int64) error {
	if len(rows) == 1 { // most requests have one user: their text is prepared
		args := make([]any, len(rows[0]))
		for i, number := range rows[0] {
			args[i] = number
		}
		_, err := tx.raw.exec(ctx, insertRow(table, columns), args...)
		return tx.fail(ctx, "add to "+table, err)
	}
	for some := range slices.Chunk(rows, rowsPerStatement) {
		_, err := tx.raw.exec(ctx, "INSERT INTO "+table+" ("+columns+") VALUES "+tuples(some))
		if err != nil {
			return tx.fail(ctx, "add to "+table, err)
		}
	}
	return nil
}

// appendIDs writes ids as the inside of a list in SQL.
func appendIDs(text []byte, ids []int64) []byte {
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return text
}

// tuples writes rows of integers as SQL has them behind VALUES.
func tuples(rows [][]int64) string {
	text := make([]byte, 0, 24*len(rows))
	for i, row := range rows {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '(')
		text = appendIDs(text, row)
		text = append(text, ')')
	}
	return string(text)
}
