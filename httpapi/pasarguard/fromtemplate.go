package pasarguard

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/httpapi/parameters"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/username"
)

func (r routes) fromTemplate() {
	handle(r, created("/user/from_template", "Make a user from a template", templatesTag), r.userFromTemplate)
	// Both spellings come before the other routes of users/{username}: PUT /user/from_template/disabled is about a user who
	// is called disabled.
	handle(r, put("/user/from_template/{username}", "Bring a user to a template", templatesTag), r.applyTemplate)
	handle(r, put("/user/{username}/from_template", "Bring a user to a template, as the reference page spells it", templatesTag), r.applyTemplate)
	handle(r, created("/users/bulk/from_template", "Make up to 500 users from a template", templatesTag), r.usersFromTemplate)
	handle(r, post("/users/bulk/apply_template", "Bring users to a template", templatesTag), r.applyTemplateToMany)
}

// TemplateUse is what every request that uses a template says. It is exported because the API's document passes over
// embedded types that are not.
type TemplateUse struct {
	TemplateID int64   `json:"user_template_id" required:"true"`
	Note       *string `json:"note" doc:"at most 500 characters; null leaves that of a user alone"`
}

const maxNote = 500 // characters

// faults are what is wrong with it.
func (t *TemplateUse) faults() detail.Fields {
	faults := detail.Fields{}
	if t.Note != nil && utf8.RuneCountInString(*t.Note) > maxNote {
		faults["note"] = badNote
	}
	return faults
}

// note is that of a new user.
func (t *TemplateUse) note() (note string) {
	fill(&note, t.Note)
	return note
}

type userFromTemplate struct {
	Body struct {
		TemplateUse
		Username string `json:"username" required:"true" doc:"what the template's prefix and suffix go around"`
	}
}

func (r routes) userFromTemplate(ctx context.Context, who accounts.Principal, in *userFromTemplate) (userBody, error) {
	if err := in.Body.faults().Of(); err != nil {
		return userBody{}, err
	}
	return r.shown(r.Accounts.FromTemplate(ctx, who, in.Body.TemplateID, in.Body.Username, in.Body.note()))
}

type appliedTemplate struct {
	UserPath
	Body TemplateUse
}

func (r routes) applyTemplate(ctx context.Context, who accounts.Principal, in *appliedTemplate) (userBody, error) {
	if err := in.Body.faults().Of(); err != nil {
		return userBody{}, err
	}
	return r.shown(r.Accounts.ApplyTemplate(ctx, who, in.Username, in.Body.TemplateID, in.Body.Note))
}

type usersFromTemplate struct {
	Body struct {
		TemplateUse
		Count    int64          `json:"count" required:"true" doc:"1 to 500"`
		Strategy *string        `json:"strategy" doc:"id of a loaded strategy (see username_strategies), absent = random"`
		Params   map[string]any `json:"params" doc:"parameters of the strategy"`
		Username *string        `json:"username" doc:"what the names are made from, if the strategy takes that"`
		Start    *int64         `json:"start_number" doc:"the first number of a series, absent = 1"`
	}
}

// presetStrategy makes names for who asks for none.
const presetStrategy = "random"

// batch is the request as the domain has it.
func (in *usersFromTemplate) batch() (accounts.Batch, error) {
	b := accounts.Batch{
		TemplateID: in.Body.TemplateID, Count: int(in.Body.Count), Strategy: presetStrategy, Params: parameters.Text(in.Body.Params),
		Start: in.Body.Start, Note: in.Body.note(),
	}
	fill(&b.Strategy, in.Body.Strategy)
	fill(&b.Base, in.Body.Username)
	faults := in.Body.faults()
	if in.Body.Count < 1 || in.Body.Count > username.MaxCount {
		faults["count"] = fmt.Sprintf("count must be between 1 and %d", username.MaxCount)
	}
	return b, faults.Of()
}

// madeUsers is what became of a request for many users. The last two are absent when none is missing.
type madeUsers struct {
	URLs    []string `json:"subscription_urls"`
	Created int      `json:"created"`
	Missing int      `json:"missing,omitempty" doc:"users fewer than asked for"`
	Reason  string   `json:"reason,omitempty" doc:"why they are missing"`
}

func (r routes) usersFromTemplate(ctx context.Context, who accounts.Principal, in *usersFromTemplate) (madeUsers, error) {
	batch, err := in.batch()
	if err != nil {
		return madeUsers{}, err
	}
	made, err := r.Accounts.ManyFromTemplate(ctx, who, batch)
	if err != nil {
		return madeUsers{}, err
	}
	urls := make([]string, len(made.Users))
	for i := range made.Users {
		urls[i] = r.Subscriptions.URL(&made.Users[i])
	}
	return madeUsers{urls, len(urls), made.Missing, made.Why}, nil
}

type manyAppliedTemplate struct {
	Body struct {
		TemplateUse
		IDs []int64 `json:"ids" required:"true" nullable:"false" doc:"of at most 5000 users"`
	}
}

func (r routes) applyTemplateToMany(ctx context.Context, who accounts.Principal, in *manyAppliedTemplate) (userNames, error) {
	if err := in.Body.faults().Of(); err != nil {
		return userNames{}, err
	}
	return named(r.Accounts.ApplyTemplateTo(ctx, who, in.Body.IDs, in.Body.TemplateID, in.Body.Note))
}
