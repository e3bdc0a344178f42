package ops

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/subscription"
)

// Explainer says why an app gets the format that it gets.
type Explainer interface {
	Explain(ctx context.Context, username, agent, accept, format string) (subscription.Explanation, error)
}

// explainInput is a fetch of which somebody asks what it would bring.
type explainInput struct {
	User   string `query:"user" required:"true" doc:"the username"`
	Agent  string `query:"ua" doc:"the app's User-Agent"`
	Accept string `query:"accept" doc:"the app's Accept header, text/html for a browser"`
	Format string `query:"format" doc:"the format that the URL names, empty = none"`
}

// explanation is subscription.Explanation as JSON.
type explanation struct {
	Step    string         `json:"step" enum:"asked,rule,plugin,accept,default" doc:"what decided"`
	Because string         `json:"because" doc:"the same as a sentence"`
	Format  string         `json:"format" doc:"id of the format"`
	Plugin  string         `json:"plugin" doc:"what makes it, empty = it is not loaded"`
	SHA256  string         `json:"sha256" doc:"of the plugin"`
	Builtin bool           `json:"builtin" doc:"the plugin is part of the binary"`
	Cached  bool           `json:"cached" doc:"the body is kept and handed out again until something of it changes"`
	WhyNot  string         `json:"why_not_cached" doc:"empty when it is"`
	Rules   []explainedRow `json:"rules" doc:"all rules in their order"`
}

// explainedRow is a rule and what it says of the app.
type explainedRow struct {
	From    string `json:"from" doc:"settings, defaults (there are none in the settings), or the plugin that declares it"`
	Agent   string `json:"agent"`
	Format  string `json:"format"`
	Matches bool   `json:"matches" doc:"the User-Agent is one of the rule's"`
	Loaded  bool   `json:"loaded" doc:"its format is loaded, else the rule is passed over"`
	Decides bool   `json:"decides" doc:"it is the one that counted"`
}

type explainReply struct{ Body explanation }

func newExplainReply(e subscription.Explanation) *explainReply {
	body := explanation{
		Step: e.Step, Because: e.Because, Format: e.Format, Plugin: e.Plugin, SHA256: e.SHA256, Builtin: e.Builtin,
		Cached: e.Kept, WhyNot: e.WhyNot, Rules: make([]explainedRow, len(e.Rules)),
	}
	for i, v := range e.Rules {
		body.Rules[i] = explainedRow(v)
	}
	return &explainReply{body}
}

// explain adds the route that explains which format an app gets. Whoever has a token may ask about its own users, a sudo
// admin about all.
func (o Options) explain(api huma.API) {
	op := operation(api, http.MethodGet, "/subscription/explain", "Which format an app gets, and why", "subscriptions")
	op.Middlewares = nil // not for sudo admins alone
	huma.Register(api, op, func(ctx context.Context, in *explainInput) (*explainReply, error) {
		if err := o.mayAsk(ctx, in.User); err != nil {
			return nil, o.fail(ctx, err)
		}
		found, err := o.Explain(ctx, in.User, in.Agent, in.Accept, in.Format)
		if err != nil {
			return nil, o.fail(ctx, err)
		}
		return newExplainReply(found), nil
	})
}

// mayAsk refuses another admin's user as if there were none.
func (o Options) mayAsk(ctx context.Context, username string) error {
	who, _ := auth.From(ctx) // nobody has no users
	_, err := o.Accounts.UserOf(ctx, who, username)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return domain.NotFound("User not found").Because(err)
	}
	return err
}
