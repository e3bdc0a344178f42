package xui

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) creation() {
	handle(r, post("/clients/add", "Add a client", clientsTag), r.addClient)
	handle(r, post("/clients/bulkCreate", "Add clients", clientsTag), r.bulkCreate)
	handle(r, post("/clients/import", "Add the clients of an export", clientsTag), r.importClients)
	handleStream[[]exported](r, get("/clients/export", "All clients, as import takes them", clientsTag), r.export)
}

// newClientInput is a client to be made, with where it may connect.
type newClientInput struct {
	Client     wholeInput `json:"client"`
	InboundIDs []int64    `json:"inboundIds" doc:"where the client may connect; may be empty if it has a group"`
}

// wholeInput is a client with all that it can be made with. Updates do not take the extras, which get does not show.
type wholeInput struct {
	ClientInput
	Extras
}

func (c *wholeInput) newUser() (accounts.NewUser, error) {
	n, err := c.ClientInput.newUser()
	if err != nil {
		return n, err
	}
	return n, c.addTo(&n)
}

// newUser is the client to be made for the caller of the request.
func (n *newClientInput) newUser(ctx context.Context) (accounts.NewUser, error) {
	user, err := n.Client.newUser()
	user.Inbounds = n.InboundIDs
	if who, ok := auth.From(ctx); ok {
		user.AdminID = who.Admin.ID
	}
	return user, err
}

type addClientRequest struct {
	Repeatable
	Body newClientInput
}

func (r routes) addClient(ctx context.Context, in *addClientRequest) (client, string, error) {
	n, err := in.Body.newUser(ctx)
	if err != nil {
		return client{}, "", err
	}
	view, err := r.Accounts.CreateUser(ctx, n, in.once)
	if err != nil {
		return client{}, "", err
	}
	return newClient(view), "Client added", nil
}

type created struct {
	Created int       `json:"created"`
	Skipped []skipped `json:"skipped"`
}

type bulkCreateRequest struct {
	Bulk
	Body []newClientInput
}

func (r routes) bulkCreate(ctx context.Context, in *bulkCreateRequest) (created, string, error) {
	return r.create(ctx, "", in.Body, in.how(), false)
}

// create makes clients. Those that can not even be read are skipped like those that can not be stored.
func (r routes) create(
	ctx context.Context, field string, list []newClientInput, how accounts.How, orphans bool,
) (created, string, error) {
	if err := checkBulk(field, len(list)); err != nil {
		return created{}, "", err
	}
	users := make([]accounts.NewUser, len(list))
	for i := range list {
		list[i].Client.Email.Value = strings.TrimSpace(list[i].Client.Email.Value)
		users[i], users[i].Refused = list[i].newUser(ctx)
		users[i].Orphan = orphans
	}
	report, err := r.Accounts.CreateUsers(ctx, users, how)
	return created{report.Count, newSkipped(report.Skipped)}, "", err
}

type importRequest struct {
	Bulk
	Body struct {
		Data *string `json:"data" doc:"the obj of an export, as JSON text"`
	}
}

func (r routes) importClients(ctx context.Context, in *importRequest) (created, string, error) {
	if in.Body.Data == nil {
		return created{}, "", domain.Invalid("data", "is required: the list of an export, as a string")
	}
	list, err := read[[]newClientInput](r, "data", []byte(*in.Body.Data))
	if err != nil {
		return created{}, "", err
	}
	return r.create(ctx, "data", list, in.how(), true)
}

// read decodes JSON text that a request has in one of its fields, with the checks that bodies get.
func read[T any](r routes, field string, text []byte) (value T, err error) {
	var plain any
	if err := r.api.Unmarshal(fiber.MIMEApplicationJSON, text, &plain); err != nil {
		return value, unread(field, err)
	}
	path, found := huma.NewPathBuffer(nil, 0), huma.ValidateResult{}
	path.Push(field)
	schemas := r.api.OpenAPI().Components.Schemas
	huma.Validate(schemas, schemas.Schema(reflect.TypeFor[T](), true, ""), path, huma.ModeWriteToServer, plain, &found)
	if len(found.Errors) > 0 {
		return value, domain.Invalid("", faultSentence(found.Errors[0]))
	}
	if err := r.api.Unmarshal(fiber.MIMEApplicationJSON, text, &value); err != nil {
		return value, unread(field, err)
	}
	return value, nil
}

// unread is what the server's own reading of JSON says of a field: that it is something, or a sentence about its inside.
func unread(field string, err error) error {
	if _, own := predicate(err.Error()); own {
		return domain.Invalid(field, err.Error())
	}
	return domain.Invalid("", field+": "+err.Error())
}

// exported is a client as import takes it: with the operator's word for enable, and without its usage.
type exported struct {
	Client     exportedClient `json:"client"`
	InboundIDs []int64        `json:"inboundIds"`
}

// exportedClient has the keys of a request.
type exportedClient struct {
	Email              string         `json:"email"`
	ID                 string         `json:"id" doc:"uuid"`
	SubID              string         `json:"subId"`
	Password           string         `json:"password"`
	Auth               string         `json:"auth"`
	Flow               string         `json:"flow"`
	Security           string         `json:"security"`
	Secret             string         `json:"secret"`
	AdTag              string         `json:"adTag"`
	Reverse            object         `json:"reverse"`
	LimitIP            int            `json:"limitIp"`
	LimitHWID          int            `json:"limitHwid"`
	TotalGB            int64          `json:"totalGB"`
	ExpiryTime         int64          `json:"expiryTime"`
	Enable             bool           `json:"enable" doc:"the operator's word"`
	TgID               int64          `json:"tgId"`
	Group              string         `json:"group"`
	Comment            string         `json:"comment"`
	Reset              int            `json:"reset"`
	ResetDay           int            `json:"resetDay"`
	ResetMax           int            `json:"resetMax"`
	TrafficReset       string         `json:"trafficReset"`
	TrafficResetDay    int            `json:"trafficResetDay"`
	TrafficResetParams map[string]any `json:"trafficResetParams"`
	AutoDeleteInDays   *int           `json:"autoDeleteInDays"`
	CreatedAt          int64          `json:"created_at"`
	UpdatedAt          int64          `json:"updated_at"`
	Extras
}

func newExported(l accounts.Listed) exported {
	r := newClientRecord(&l.User, l.Status, l.Group)
	return exported{InboundIDs: l.Inbounds, Client: exportedClient{
		Email: r.Email, ID: r.UUID, SubID: r.SubID, Password: r.Password, Auth: r.Auth, Flow: r.Flow, Security: r.Security,
		Secret: r.Secret, AdTag: r.AdTag, Reverse: r.Reverse, LimitIP: r.LimitIP, LimitHWID: r.LimitHWID,
		TotalGB: r.TotalGB, ExpiryTime: r.ExpiryTime, Enable: l.User.Enabled, TgID: r.TgID, Group: r.Group, Comment: r.Comment,
		Reset: r.Reset, ResetDay: r.ResetDay, ResetMax: r.ResetMax, TrafficReset: cmp.Or(l.User.ResetPolicy, never), // not its name here, which two periods share

		TrafficResetDay: r.TrafficResetDay, TrafficResetParams: r.TrafficResetParams, AutoDeleteInDays: r.AutoDeleteInDays,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Extras: newExtras(&l),
	}}
}

func (r routes) export(ctx context.Context, _ *struct{}) iter.Seq2[[]byte, error] {
	return stream.List(r.everyUser(ctx), func(buf []byte, l accounts.Listed) ([]byte, error) {
		return stream.Append(buf, newExported(l))
	})
}

// everyUser is each user in the order of ids, and at the end the error that broke it off.
func (r routes) everyUser(ctx context.Context) iter.Seq2[accounts.Listed, error] {
	return stream.Sequence(func(yield func(accounts.Listed) bool) error { return r.Accounts.EachUser(ctx, yield) })
}
