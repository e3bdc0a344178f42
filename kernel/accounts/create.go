package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// CreateUser makes a user and lets it in; it can connect when this returns. A username that exists is a conflict, except
// with the same SubID: then the new inbounds are attached and nothing else changes (decisions.md §2, add). With o, the view
// of a request that is sent again is what it was the first time.
func (s *Service) CreateUser(ctx context.Context, n NewUser, o *Once) (view UserView, err error) {
	drafts := s.draft(ctx, []NewUser{n}) // what is wrong with it counts only if it was not made before
	var b *batch
	err = s.write(ctx, func(tx *storage.Tx) error {
		b = newBatch(tx)
		return once(ctx, tx, o, &view, func() error {
			if err := s.create(ctx, b, drafts); err != nil {
				return err
			}
			if drafts[0].why != nil {
				return drafts[0].why
			}
			view, err = s.viewOf(ctx, &tx.Reader, drafts[0].account)
			return err
		})
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "user created", b.put, nil)
	})
	return view, err
}

// CreateUsers is CreateUser for many, in one transaction. Done are those that were made or attached to an inbound that
// they were not in.
func (s *Service) CreateUsers(ctx context.Context, list []NewUser, how How) (Report, error) {
	drafts := s.draft(ctx, list)
	return s.bulk(ctx, how, "users created", nil, func(b *batch) error {
		if err := s.create(ctx, b, drafts); err != nil {
			return err
		}
		for i := range drafts {
			switch d := &drafts[i]; {
			case d.why != nil:
				b.skip(d.given.Username, d.why)
			case d.same:
				b.skip(d.given.Username, nameTaken(d.given.Username))
			default:
				b.did(d.given.Username)
			}
		}
		return nil
	})
}

func nameTaken(name string) *domain.Error {
	return domain.Conflict("username", "already in use: "+name)
}

// draft is a user on its way into the database.
type draft struct {
	given   NewUser
	row     storage.NewUser
	account domain.Account // what became of it
	same    bool           // it is there already, exactly like this
	why     *domain.Error  // why it is not made, nil = it is
}

// draft fills in and checks what the users lack. Period plugins are asked here, before the transaction.
func (s *Service) draft(ctx context.Context, list []NewUser) []draft {
	drafts, now := make([]draft, len(list)), s.now()
	schedules := schedules{Service: s}
	for i, n := range list {
		user, err := n.user(now)
		if err == nil {
			err = schedules.set(ctx, &user)
		}
		inbounds := slices.Compact(slices.Sorted(slices.Values(n.Inbounds)))
		drafts[i] = draft{given: n, row: storage.NewUser{User: user, Inbounds: inbounds}, why: reason(err)}
	}
	return drafts
}

// reason is what an item of a bulk request is told of its error.
func reason(err error) *domain.Error {
	var e *domain.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return domain.Unavailable("something went wrong inside the server").Because(err)
}

// create writes those of the drafts that can be, and notes what became of each.
func (s *Service) create(ctx context.Context, b *batch, drafts []draft) error {
	if err := sift(ctx, b.tx, drafts); err != nil {
		return err
	}
	var rows []*storage.NewUser
	var attached []domain.Account
	var at []int // where each of them stands among the drafts
	groups := groupsByName{}
	for i := range drafts {
		d := &drafts[i]
		switch {
		case d.why != nil || d.same:
		case d.account.User.ID != 0:
			attached, at = append(attached, d.account), append(at, i)
		default:
			ids, err := groups.of(ctx, b.tx, &d.given)
			if err != nil {
				return err
			}
			d.row.Groups = distinct(ids)
			rows = append(rows, &d.row)
		}
	}
	if err := spare(ctx, b.tx, rows); err != nil {
		return err
	}
	if err := s.inherit(ctx, b.tx, rows); err != nil {
		return err
	}
	if err := b.tx.InsertUsers(ctx, rows); err != nil {
		return err // what could be foreseen was sifted out
	}
	if err := b.tx.ReplaceInbounds(ctx, attached); err != nil {
		return err
	}
	for n, i := range at {
		drafts[i].account = attached[n] // with its new revision
	}
	b.put = attached
	for i := range drafts {
		if d := &drafts[i]; d.why == nil && d.account.User.ID == 0 {
			d.row.Traffic.UserID = d.row.User.ID
			d.account = domain.Account{
				User: d.row.User, Traffic: d.row.Traffic, Inbounds: d.row.Effective, Direct: d.row.Inbounds, Groups: d.row.Groups,
			}
			b.put = append(b.put, d.account)
		}
	}
	return nil
}

// spare leaves out of the new users' own inbounds those that their groups let them into, as want does: a client that is
// made as it was shown, or exported, loses them with the group.
func spare(ctx context.Context, tx *storage.Tx, rows []*storage.NewUser) error {
	var ids []int64
	for _, row := range rows {
		if len(row.Inbounds) > 0 {
			ids = append(ids, row.Groups...)
		}
	}
	groups, err := doorsOf(ctx, tx, ids)
	if err != nil || len(groups) == 0 {
		return err
	}
	for _, row := range rows {
		member := domain.Account{Groups: row.Groups}
		row.Inbounds = slices.DeleteFunc(slices.Clone(row.Inbounds), func(id int64) bool {
			_, gives := groups.giving(&member, id)
			return gives
		})
	}
	return nil
}

// inherit gives new users the counters that were kept under their names.
func (s *Service) inherit(ctx context.Context, tx *storage.Tx, rows []*storage.NewUser) error {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.User.Username
	}
	kept, err := tx.KeptTraffic(ctx, names)
	if err != nil || len(kept) == 0 {
		return err
	}
	for _, row := range rows {
		if traffic, ok := kept[row.User.UsernameKey]; ok {
			row.Traffic = traffic
			row.User.Settle(s.now(), traffic.Used())
		}
	}
	return tx.DropKeptTraffic(ctx, names)
}

// sift finds the drafts that can not be made, with their reasons, and those whose user is there already.
func sift(ctx context.Context, tx *storage.Tx, drafts []draft) error {
	inbounds, err := tx.InboundIDs(ctx)
	if err != nil {
		return err
	}
	taken, err := tx.Taken(ctx, supplied(drafts))
	if err != nil {
		return err
	}
	there, err := holders(ctx, tx, drafts, taken)
	if err != nil {
		return err
	}
	own, rooms, plans := claims{}, rooms{}, plans{}
	for i := range drafts {
		d := &drafts[i]
		if d.why == nil {
			d.why = unknownInbound(d.row.Inbounds, inbounds)
		}
		if d.why == nil {
			if d.why, err = plans.check(ctx, tx, d.row.User.NextPlan); err != nil {
				return err
			}
		}
		if d.why != nil {
			continue
		}
		switch column := taken[i]; column {
		case "":
			if d.why = own.claim(d); d.why != nil {
				continue
			}
			room, err := rooms.of(ctx, tx, d.row.User.AdminID)
			if err != nil {
				return err
			}
			d.why = room.take(1)
		case "username_key":
			d.attach(there[d.row.User.UsernameKey], own)
		default:
			d.why = columnTaken(column)
		}
	}
	return nil
}

// supplied are the users without what was generated for them, which nobody else has.
func supplied(drafts []draft) []domain.User {
	users := make([]domain.User, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		if d.why != nil {
			continue
		}
		c := d.row.User.Credentials
		if d.given.UUID == "" {
			c.VLESSID = ""
		}
		if d.given.UUID == "" && d.given.VMessID == "" {
			c.VMessID = ""
		}
		if d.given.Password == "" {
			c.TrojanPassword = ""
		}
		if d.given.Password == "" && d.given.ShadowsocksPassword == "" {
			c.ShadowsocksPassword = ""
		}
		if d.given.Auth == "" {
			c.HysteriaAuth = ""
		}
		users[i] = domain.User{Username: d.given.Username, SubID: d.given.SubID, Credentials: c}
	}
	return users
}

// holders are the users whose names drafts have, by their keys.
func holders(ctx context.Context, tx *storage.Tx, drafts []draft, taken map[int]string) (map[string]domain.Account, error) {
	var names []string
	for i, column := range taken {
		if column == "username_key" {
			names = append(names, drafts[i].given.Username)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	ids, err := tx.UserIDs(ctx, names)
	if err != nil {
		return nil, err
	}
	accounts, err := accountsByID(ctx, tx, slices.Collect(maps.Values(ids)))
	byName := make(map[string]domain.Account, len(accounts))
	for _, a := range accounts {
		byName[a.User.UsernameKey] = a
	}
	return byName, err
}

// attach gives the user who has the name of a draft the draft's inbounds, if it has the sub id too; else the name is taken.
func (d *draft) attach(old domain.Account, own claims) {
	name := [2]string{"username_key", old.User.UsernameKey}
	if d.given.SubID != old.User.SubID || own[name] {
		d.why = nameTaken(d.given.Username)
		return
	}
	own[name] = true
	fresh := slices.DeleteFunc(slices.Clone(d.row.Inbounds), func(id int64) bool { return slices.Contains(old.Inbounds, id) })
	d.same = len(fresh) == 0
	d.account, d.account.Direct = old, slices.Sorted(slices.Values(slices.Concat(old.Direct, fresh)))
}

// claims are the unique values that the drafts of one request take, by column.
type claims map[[2]string]bool

// claim takes everything that is unique of a draft, or, taking nothing, says what another one has.
func (c claims) claim(d *draft) *domain.Error {
	u := &d.row.User
	values := [][2]string{
		{"username_key", u.UsernameKey},
		{"sub_id", u.SubID},
		{"vless_id", u.VLESSKey()},
		{"vmess_id", u.VMessID},
		{"trojan_password", u.TrojanPassword},
		{"shadowsocks_password", u.ShadowsocksPassword},
		{"hysteria_auth", u.HysteriaAuth},
	}
	for _, v := range values {
		switch {
		case !c[v]:
		case v[0] == "username_key":
			return nameTaken(d.given.Username)
		default:
			return columnTaken(v[0])
		}
	}
	for _, v := range values {
		c[v] = true
	}
	return nil
}

// columnFields are the fields that callers know of the columns that are unique.
var columnFields = map[string]string{
	"sub_id": "sub_id", "vless_id": "uuid", "vmess_id": "uuid", "hysteria_auth": "auth",
	"trojan_password": "password", "shadowsocks_password": "password",
}

// columnTaken says that somebody has the value of a column already, and never who.
func columnTaken(column string) *domain.Error {
	return domain.Conflict(columnFields[column], "is already in use")
}

// conflict gives a collision of a unique column the name that callers know.
func conflict(err error, username string) error {
	var e *domain.Error
	switch {
	case !errors.As(err, &e) || e.Code != domain.CodeConflict:
		return err
	case e.Field == "username_key":
		return nameTaken(username).Because(err)
	case columnFields[e.Field] != "":
		return columnTaken(e.Field).Because(err)
	}
	return err
}

// unknownInbound says which of the ids, ascending, is not that of an inbound; nil = none.
func unknownInbound(ids, inbounds []int64) *domain.Error {
	for _, id := range ids {
		if !slices.Contains(inbounds, id) {
			return domain.NotFound(fmt.Sprintf("inbound %d: not found", id))
		}
	}
	return nil
}
