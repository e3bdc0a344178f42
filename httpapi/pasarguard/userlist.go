package pasarguard

import (
	"context"
	"iter"
	"math"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) lists() {
	handleStream[userList](r, get("/users", "List users", usersTag), r.listUsers)
	handleStream[simpleUserList](r, get("/users/simple", "List the names and ids of users", usersTag), r.listSimpleUsers)
	handleStream[[]string](r, get("/users/expired", "List the names of the users whose time is over", usersTag), r.listExpired)
	deletion := remove("/users/expired", "Delete the users whose time is over", usersTag)
	deletion.DefaultStatus = http.StatusOK
	handle(r, deletion, r.deleteExpired)
}

// userList is a part of the users.
type userList struct {
	Users []userBody `json:"users"`
	Total int        `json:"total" doc:"before paging"`
}

// simpleUserList is what choices of a user are made of.
type simpleUserList struct {
	Users []simpleUser `json:"users"`
	Total int          `json:"total" doc:"before paging"`
}

type simpleUser struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

// pieces is the JSON text of an answer, part by part.
type pieces = iter.Seq2[[]byte, error]

// handleStream registers a route whose answer may be larger than memory should hold, under the rules of stream.Answer. T
// is the type of the answer, for the API's document only.
func handleStream[T, I any](r routes, op huma.Operation, list func(ctx context.Context, who accounts.Principal, in *I) (pieces, error)) {
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{fiber.MIMEApplicationJSON: {Schema: schema}},
	}}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		who, _ := auth.From(ctx)
		text, err := list(ctx, who, in)
		if err != nil {
			return nil, r.fail(ctx, err)
		}
		answer, err := stream.Answer(text, func(err error) {
			r.Log.Error("answer broke off", request.ID(ctx), zap.String("route", op.Path), zap.Error(err))
		})
		if err != nil {
			return nil, r.fail(ctx, err)
		}
		return answer, nil
	})
}

type listRequest struct {
	UserQuery
	LoadSub bool `query:"load_sub" doc:"true = with subscription_url, which is empty otherwise"`
}

func (r routes) listUsers(ctx context.Context, who accounts.Principal, in *listRequest) (pieces, error) {
	return userPage(ctx, r, &in.UserQuery, r.whole(ctx, who), func(buf []byte, u accounts.OwnedUser) ([]byte, error) {
		body := r.listedBody(&u)
		if !in.LoadSub {
			body.SubscriptionURL = ""
		}
		return stream.Append(buf, body)
	})
}

func (r routes) listSimpleUsers(ctx context.Context, who accounts.Principal, in *UserQuery) (pieces, error) {
	return userPage(ctx, r, in, r.names(who), func(buf []byte, u accounts.UserName) ([]byte, error) {
		return stream.Append(buf, simpleUser(u))
	})
}

// reader returns some of the users that a query asks for, and how many match it.
type reader[T any] func(q directory.Query) (users []T, filtered int, err error)

// whole reads users with all that is shown of them.
func (r routes) whole(ctx context.Context, who accounts.Principal) reader[accounts.OwnedUser] {
	return func(q directory.Query) ([]accounts.OwnedUser, int, error) {
		page, err := r.Accounts.ListUsers(ctx, who, q)
		return page.Users, page.Filtered, err
	}
}

// names reads what users are called, from memory.
func (r routes) names(who accounts.Principal) reader[accounts.UserName] {
	return func(q directory.Query) ([]accounts.UserName, int, error) {
		names, filtered := r.Accounts.UserNames(who, q)
		return names, filtered, nil
	}
}

// userPage is the text of the users that q asks for, each written by encode, and of how many there are.
func userPage[T any](ctx context.Context, r routes, q *UserQuery, read reader[T], encode func([]byte, T) ([]byte, error)) (pieces, error) {
	query, err := q.query(ctx, r)
	if err != nil {
		return nil, err
	}
	if query.Limit = q.Limit; q.Limit == 0 {
		query.Limit = math.MaxInt
	}
	total := 0
	list := stream.List(everyUser(query, &total, read), encode)
	return stream.Within(`{"users":`, list, func() string { return `,"total":` + strconv.Itoa(total) + "}\n" }), nil
}

// portion is how many users of a list are held at a time.
const portion = 500

// everyUser is each user that the query asks for, and at the end the error that broke it off. Users are read in portions:
// those who come or go meanwhile may be missing, or be there twice. total is how many match.
func everyUser[T any](q directory.Query, total *int, read reader[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := q.Limit
		for first := true; first || left > 0 && q.Offset < *total; first = false {
			q.Limit = min(left, portion)
			users, filtered, err := read(q)
			if err != nil {
				yield(*new(T), err)
				return
			}
			if first {
				*total = filtered
				q.Offset = min(q.Offset, *total) // of any size: what is added to it must not overflow
			}
			for _, u := range users {
				if !yield(u, nil) {
					return
				}
			}
			q.Offset += q.Limit
			left -= q.Limit
		}
	}
}

// expiredQuery is a range of time; both ends are open when they are absent.
type expiredQuery struct {
	After  string `query:"expired_after" doc:"ISO-8601, or seconds since the epoch"`
	Before string `query:"expired_before" doc:"the same"`
}

// query is for those whose time ended in the range.
func (q *expiredQuery) query() (d directory.Query, err error) {
	d = directory.Query{Statuses: []domain.Status{domain.StatusExpired}, Limit: math.MaxInt}
	if d.ExpireFrom, err = queryMoment("expired_after", q.After); err != nil {
		return d, err
	}
	d.ExpireTo, err = queryMoment("expired_before", q.Before)
	return d, err
}

func (r routes) listExpired(_ context.Context, who accounts.Principal, in *expiredQuery) (pieces, error) {
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	return stream.List(everyUser(query, new(int), r.names(who)), func(buf []byte, u accounts.UserName) ([]byte, error) {
		return stream.Append(buf, u.Username)
	}), nil
}

func (r routes) deleteExpired(ctx context.Context, who accounts.Principal, in *expiredQuery) (userNames, error) {
	query, err := in.query()
	if err != nil {
		return userNames{}, err
	}
	return named(r.Accounts.DeleteExpired(ctx, who, query))
}
