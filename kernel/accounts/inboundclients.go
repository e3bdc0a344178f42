package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// InboundClient is a user as the settings of an inbound name it.
type InboundClient struct {
	New  NewUser               // as it is made if nobody has the name
	Edit func(*UserView) error // changes the user if it is in the inbound already; under the rules of UpdateUser
}

// orphan is the user to be made, whose inbound may not have an id yet.
func (c *InboundClient) orphan() NewUser {
	n := c.New
	n.Orphan = true
	return n
}

// clientsField is where dialects have the clients of an inbound.
const clientsField = "settings.clients"

// roster is what a list of clients makes of the users of an inbound.
type roster struct {
	edited   []UserView // as they are to be, with the revision of what was read
	labels   map[int64]string
	detached []int64
	drafts   []draft
	at       []int // where each draft stands in the list
}

// ids are the users that are changed.
func (r *roster) ids() []int64 {
	ids := slices.Clone(r.detached)
	for _, v := range r.edited {
		ids = append(ids, v.ID)
	}
	return ids
}

// newRoster is that of an inbound without users.
func (s *Service) newRoster(ctx context.Context, clients []InboundClient) (*roster, error) {
	r := &roster{labels: map[int64]string{}}
	for i, c := range clients {
		r.draft(s.draft(ctx, []NewUser{c.orphan()})[0], i)
	}
	return r, r.fault()
}

func (r *roster) draft(d draft, at int) {
	r.drafts, r.at = append(r.drafts, d), append(r.at, at)
}

// fault is what is wrong with the first of the drafts that can not be made.
func (r *roster) fault() error {
	for i, d := range r.drafts {
		if d.why != nil {
			return within(fmt.Sprintf("%s[%d]", clientsField, r.at[i]), d.why)
		}
	}
	return nil
}

// planRoster compares the users of an inbound with a list of clients: who is on it is edited or made, who is not is
// detached. Period plugins are asked here, before the transaction.
func (s *Service) planRoster(ctx context.Context, inboundID int64, clients []InboundClient) (*roster, error) {
	index := make(map[string]int, len(clients))
	for i, c := range clients {
		key := domain.NameKey(c.New.Username)
		if _, twice := index[key]; twice {
			return nil, within(fmt.Sprintf("%s[%d]", clientsField, i), nameTaken(c.New.Username))
		}
		index[key] = i
	}
	r := &roster{labels: map[int64]string{}}
	var fault error
	err := s.EachInboundUser(ctx, inboundID, func(l Listed) bool {
		i, named := index[l.User.UsernameKey]
		if !named {
			r.detached = append(r.detached, l.User.ID)
			return true
		}
		delete(index, l.User.UsernameKey)
		if fault = s.planEdit(ctx, r, l, clients[i]); fault != nil {
			fault = within(fmt.Sprintf("%s[%d]", clientsField, i), fault)
		}
		return fault == nil
	})
	if err = errors.Join(err, fault); err != nil {
		return nil, err
	}
	for _, i := range slices.Sorted(maps.Values(index)) {
		r.draft(s.draft(ctx, []NewUser{clients[i].orphan()})[0], i)
	}
	return r, r.fault()
}

// planEdit notes what a client of the list changes of its user, if anything.
func (s *Service) planEdit(ctx context.Context, r *roster, l Listed, c InboundClient) error {
	v := UserView{User: l.User, Traffic: l.Traffic, Status: l.Status, Now: s.now(), Inbounds: l.Inbounds, Group: l.Group}
	if err := c.Edit(&v); err != nil {
		return err
	}
	normalizePolicy(&v.User)
	if v.Group != l.Group {
		if err := checkLabel(v.Group); err != nil {
			return err
		}
		r.labels[v.ID] = v.Group
	} else if reflect.DeepEqual(v.User, l.User) {
		return nil
	}
	if err := checkUser(&v.User); err != nil {
		return err
	}
	if v.ResetPolicy != l.User.ResetPolicy || v.ResetParams != l.User.ResetParams {
		if err := s.schedule(ctx, &v.User); err != nil {
			return err
		}
	}
	r.edited = append(r.edited, v)
	return nil
}

// enroll stores a roster for an inbound, in the transaction that stores the inbound.
func (s *Service) enroll(ctx context.Context, b *batch, inboundID int64, r *roster) error {
	for i := range r.drafts {
		r.drafts[i].row.Inbounds = []int64{inboundID}
	}
	if err := s.create(ctx, b, r.drafts); err != nil {
		return err
	}
	if err := r.fault(); err != nil {
		return err
	}
	if err := s.storeEdits(ctx, b, r); err != nil {
		return err
	}
	groups, err := allDoors(ctx, b.tx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(r.detached, accountBatch) {
		accounts, err := b.tx.Accounts(ctx, some)
		if err != nil {
			return err
		}
		for i := range accounts {
			a := &accounts[i]
			if why := groups.want(a, a.Inbounds, without(a.Inbounds, inboundID)); why != nil {
				return domain.Conflict(clientsField, "must go on to name "+a.User.Username+": "+why.Message)
			}
		}
		if err := b.tx.ReplaceInbounds(ctx, accounts); err != nil {
			return err
		}
	}
	b.others = r.detached
	return nil
}

// storeEdits stores the edited users of a roster if they are still what was edited.
func (s *Service) storeEdits(ctx context.Context, b *batch, r *roster) error {
	ids := make([]int64, len(r.edited))
	for i, v := range r.edited {
		ids[i] = v.ID
	}
	accounts, err := accountsByID(ctx, b.tx, ids)
	if err != nil {
		return err
	}
	all, err := allDoors(ctx, b.tx)
	if err != nil {
		return err
	}
	var changed []domain.Account
	groups := groupsByName{}
	for _, v := range r.edited {
		a, there := accounts[v.ID]
		if !there || a.User.Revision != v.Revision {
			return errOvertaken
		}
		a.User = v.User
		if label, given := r.labels[v.ID]; given {
			id, err := groups.find(ctx, b.tx, label)
			if err != nil {
				return err
			}
			a.Groups = all.labelled(a.Groups, id)
		}
		changed = append(changed, s.touched(&a))
	}
	if err := b.tx.UpdateUsers(ctx, usersOf(changed)); err != nil {
		return within(clientsField, conflict(err, ""))
	}
	if err := b.tx.ReplaceGroups(ctx, changed); err != nil {
		return err
	}
	b.put = append(b.put, changed...)
	return nil
}

// CreateInbound opens a new inbound and makes its clients, all or none of it; it serves when this returns. An empty Tag is
// made from the port. A client whose name and sub id somebody has is attached as it is.
func (s *Service) CreateInbound(ctx context.Context, in domain.Inbound, clients []InboundClient) (InboundView, error) {
	r, err := s.newRoster(ctx, clients)
	if err != nil {
		return InboundView{}, err
	}
	if in, err = s.checkNew(in); err != nil {
		return InboundView{}, err
	}
	var b *batch
	err = s.write(ctx, func(tx *storage.Tx) error {
		b = newBatch(tx)
		if err := s.insertInbound(ctx, tx, &in); err != nil {
			return err
		}
		return s.enroll(ctx, b, in.ID, r)
	}, func(ctx context.Context) {
		s.inboundChanged(ctx, in)
		s.usersChanged(ctx, "clients of a new inbound", b.put, nil)
	})
	if err != nil {
		return InboundView{}, err
	}
	return s.inboundView(in), nil
}

// UpdateInboundWith is UpdateInbound together with the list of all its clients: those of its users that are not on the
// list are detached. As in UpdateUser, a field that has what is shown for it is no change.
func (s *Service) UpdateInboundWith(
	ctx context.Context, id int64, edit func(*domain.Inbound) error, clients []InboundClient,
) (InboundView, error) {
	for range updateTries {
		view, err := s.tryRoster(ctx, id, edit, clients)
		if !errors.Is(err, errOvertaken) {
			return view, err
		}
	}
	return InboundView{}, domain.Conflict("", "the clients of the inbound are being changed by others: try again")
}

func (s *Service) tryRoster(
	ctx context.Context, id int64, edit func(*domain.Inbound) error, clients []InboundClient,
) (InboundView, error) {
	r, err := s.planRoster(ctx, id, clients)
	if err != nil {
		return InboundView{}, err
	}
	var (
		b       *batch
		in      domain.Inbound
		changed bool
	)
	err = s.drained(ctx, r.ids(), nil, func(tx *storage.Tx) (err error) {
		b = newBatch(tx)
		if in, changed, err = s.editInbound(ctx, tx, id, edit); err != nil {
			return err
		}
		return s.enroll(ctx, b, id, r)
	}, func(ctx context.Context) {
		if changed {
			s.inboundChanged(ctx, in)
		}
		s.usersChanged(ctx, "clients of an inbound", b.put, nil)
		s.reread(ctx, "clients detached", b.others)
	})
	if err != nil {
		return InboundView{}, err
	}
	return s.inboundView(in), nil
}
