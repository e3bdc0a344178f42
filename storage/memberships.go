package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/sluicehq/sluice/kernel/domain"
)

// membership is a table that says which rows of another table something has.
type membership struct {
	table         string
	owner, column string // its columns with the id of who has, and of what it has
	columns       string // all that a row has: these two, and its place in the owner's list if that counts
	order         string // of one owner's
	kind          domain.Kind
}

// What users, groups and templates have.
var (
	userInbounds = membership{
		table: "user_inbounds", owner: "user_id", column: "inbound_id", columns: "user_id, inbound_id",
		order: "inbound_id", kind: domain.KindInbound,
	}
	userGroups = membership{
		table: "user_groups", owner: "user_id", column: "group_id", columns: "user_id, group_id, position",
		order: "position", kind: domain.KindGroup,
	}
	groupInbounds = membership{
		table: "group_inbounds", owner: "group_id", column: "inbound_id", columns: "group_id, inbound_id",
		order: "inbound_id", kind: domain.KindInbound,
	}
	templateGroups = membership{
		table: "template_groups", owner: "template_id", column: "group_id", columns: "template_id, group_id, position",
		order: "position", kind: domain.KindGroup,
	}
)

// rows are the rows of an owner who has ids, of which one may be named twice.
func (m membership) rows(owner int64, ids []int64) [][]int64 {
	rows, width := [][]int64{}, count(m.columns)
	for at, id := range distinct(ids) {
		rows = append(rows, []int64{owner, id, int64(at)}[:width])
	}
	return rows
}

// distinct returns ids, each where it comes first; never nil.
func distinct(ids []int64) []int64 {
	once := make([]int64, 0, len(ids))
	for _, id := range ids {
		if !slices.Contains(once, id) {
			once = append(once, id)
		}
	}
	return once
}

// remove is the statement that removes rows.
func (m membership) remove(rows [][]int64) string {
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (VALUES %s)", m.table, m.columns, tuples(rows))
}

// listed is the condition that a row is of a listed owner.
func (m membership) listed() string { return m.owner + " " + isListed }

// attached selects what owners have, by owner and in their order; where selects the rows.
func (m membership) attached(where string) string {
	return fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s ORDER BY %[1]s, %[5]s", m.owner, m.column, m.table, where, m.order)
}

// members selects all that is in the rows of listed owners.
func (m membership) members() string {
	return "SELECT " + m.columns + " FROM " + m.table + " WHERE " + m.listed()
}

// lists returns what owners have, in order, by owner; those who have nothing are left out.
func (r *Reader) lists(ctx context.Context, m membership, owners []int64) (map[int64][]int64, error) {
	has := map[int64][]int64{}
	if len(owners) == 0 {
		return has, nil
	}
	var owner, id int64
	err := r.scan(ctx, []any{&owner, &id}, func() { has[owner] = append(has[owner], id) },
		m.attached(m.listed()), r.engine.list(owners))
	return has, fail(ctx, r.engine, "read "+m.table, err)
}

const (
	directOfUser = "SELECT inbound_id FROM user_inbounds WHERE user_id = $1 ORDER BY inbound_id"
	groupsOfUser = "SELECT group_id FROM user_groups WHERE user_id = $1 ORDER BY position"
)

// UserGroups returns the ids of the groups that a user is in, the first one first; none for an unknown user.
func (r *Reader) UserGroups(ctx context.Context, userID int64) ([]int64, error) {
	return r.ids(ctx, "read groups of user", groupsOfUser, userID)
}

// ReplaceInbounds makes Direct, in any order, the inbounds that each of these different users, at most 5,000, is
// attached to itself, and fills Inbounds with what it has then by Groups, which must be those that it is in. It gives
// each a new revision, the same that UpdateUsers gave or gives it in this transaction, and fills User.Revision. Nothing
// but User.ID, Direct and Groups is looked at. An unknown user or inbound is not_found.
func (tx *Tx) ReplaceInbounds(ctx context.Context, accounts []domain.Account) error {
	return tx.replace(ctx, userInbounds, accounts, func(a *domain.Account) []int64 { return a.Direct })
}

// ReplaceGroups is ReplaceInbounds for Groups, whose order counts: here Direct must be what each has.
func (tx *Tx) ReplaceGroups(ctx context.Context, accounts []domain.Account) error {
	return tx.replace(ctx, userGroups, accounts, func(a *domain.Account) []int64 { return a.Groups })
}

func (tx *Tx) replace(
	ctx context.Context, m membership, accounts []domain.Account, of func(a *domain.Account) []int64,
) error {
	if len(accounts) == 0 {
		return nil
	}
	users, wants := make([]int64, len(accounts)), [][]int64{}
	for i := range accounts {
		users[i] = accounts[i].User.ID
		wants = append(wants, m.rows(users[i], of(&accounts[i]))...)
	}
	if err := tx.revise(ctx, users); err != nil {
		return err
	}
	for i := range accounts {
		accounts[i].User.Revision = tx.logged[row{domain.KindUser, users[i]}]
	}
	if err := tx.rewrite(ctx, m, users, wants); err != nil {
		return err
	}
	return tx.effective(ctx, accounts)
}

// rewrite makes wants the rows of owners. It writes what is new and removes what is gone: they keep most of what they
// have.
func (tx *Tx) rewrite(ctx context.Context, m membership, owners []int64, wants [][]int64) error {
	has, err := tx.members(ctx, m, owners)
	if err != nil {
		return err
	}
	for gone := range slices.Chunk(without(has, wants), rowsPerStatement) {
		if _, err := tx.raw.exec(ctx, m.remove(gone)); err != nil {
			return tx.fail(ctx, "remove from "+m.table, err)
		}
	}
	return tx.join(ctx, m, without(wants, has))
}

// members returns the rows of owners.
func (tx *Tx) members(ctx context.Context, m membership, owners []int64) ([][]int64, error) {
	has, row := [][]int64{}, make([]int64, count(m.columns))
	fields := make([]any, len(row))
	for i := range row {
		fields[i] = &row[i]
	}
	err := tx.scan(ctx, fields, func() { has = append(has, slices.Clone(row)) },
		m.members(), tx.engine.list(owners))
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
	if err := tx.know(ctx, m.kind, ids...); err != nil {
		return err
	}
	return tx.insertNumbers(ctx, m.table, m.columns, rows)
}

// known selects which listed ids there are in a table.
func known(table string) string { return "SELECT id FROM " + table + " WHERE id " + isListed }

// tables say where rows that others name are.
var tables = map[domain.Kind]string{
	domain.KindInbound: "inbounds", domain.KindGroup: "groups", domain.KindAdmin: "admins",
}

// know refuses ids of kind that there is no row of.
func (tx *Tx) know(ctx context.Context, kind domain.Kind, ids ...int64) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	there, err := tx.ids(ctx, "look for "+string(kind), known(tables[kind]), tx.engine.list(ids))
	if err == nil && len(there) < len(ids) {
		err = notFound(kind, nil)
	}
	return tx.fail(ctx, "refer to "+string(kind), err)
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
