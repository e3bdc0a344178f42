package xui

import (
	"context"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/kernel/domain"
)

const tokensTag = "tokens"

func (r routes) tokens() {
	const base = "/setting/apiTokens"
	handle(r, get(base, "List the API tokens, without their secrets", tokensTag), r.listTokens)
	handle(r, post(base+"/create", "Make an API token; its secret is in this answer only", tokensTag), r.createToken)
	handle(r, post(base+"/setEnabled/{id}", "Let an API token in or keep it out", tokensTag), r.enableToken)
	handle(r, post(base+"/delete/{id}", "Delete an API token", tokensTag), r.deleteToken)
}

// apiToken is a token without its secret.
type apiToken struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Scope     string `json:"scope" doc:"admin, or readonly: it changes nothing"`
	Enabled   bool   `json:"enabled"`
	ExpiresAt int64  `json:"expiresAt" doc:"ms since the epoch, 0 = never"`
	CreatedAt int64  `json:"createdAt" doc:"seconds since the epoch"`
}

func newAPIToken(t domain.Token) apiToken {
	return apiToken{
		ID: t.ID, Name: t.Name, Scope: string(t.Scope), Enabled: t.Enabled, ExpiresAt: orZero(t.ExpiresAt), CreatedAt: t.CreatedAt / 1000,
	}
}

func (r routes) listTokens(ctx context.Context, _ *struct{}) ([]apiToken, string, error) {
	tokens, err := r.Accounts.Tokens(ctx)
	if err != nil {
		return nil, "", err
	}
	list := make([]apiToken, len(tokens))
	for i, t := range tokens {
		list[i] = newAPIToken(t)
	}
	return list, "", nil
}

type createTokenRequest struct {
	Body struct {
		Name string `json:"name" doc:"unique, at most 64 characters"`
		// 3x-ui's own monitor is refused: it opens a few counters there, and readonly would open every credential.
		Scope     field[string] `json:"scope" doc:"admin (when absent) or readonly"`
		ExpiresAt field[int64]  `json:"expiresAt" doc:"ms since the epoch, 0 = never"`
	}
}

// createdToken is a token with its secret.
type createdToken struct {
	apiToken
	Token string `json:"token" doc:"the secret: only its hash is stored"`
}

func (r routes) createToken(ctx context.Context, in *createTokenRequest) (createdToken, string, error) {
	who, _ := auth.From(ctx)
	scope := domain.Scope(in.Body.Scope.Value)
	if scope == "" {
		scope = domain.ScopeAdmin
	}
	token, secret, err := r.Accounts.CreateTokenFor(ctx, who, in.Body.Name, scope, noneIfZero(in.Body.ExpiresAt.Value))
	if err != nil {
		return createdToken{}, "", err
	}
	return createdToken{newAPIToken(token), secret}, "", nil
}

type enableTokenRequest struct {
	IDPath
	Body struct {
		Enabled       *bool         `json:"enabled"`
		ExpectedScope field[string] `json:"expectedScope" doc:"the token is not found if it has another scope; absent = any"`
	}
}

func (r routes) enableToken(ctx context.Context, in *enableTokenRequest) (none, string, error) {
	if in.Body.Enabled == nil {
		return none{}, "", domain.Invalid("enabled", "is required")
	}
	return none{}, "", r.Accounts.EnableToken(ctx, in.ID, domain.Scope(in.Body.ExpectedScope.Value), *in.Body.Enabled)
}

type deleteTokenRequest struct {
	IDPath
	Body *struct {
		ExpectedScope field[string] `json:"expectedScope" doc:"the token is not found if it has another scope; absent = any"`
	}
}

func (r routes) deleteToken(ctx context.Context, in *deleteTokenRequest) (none, string, error) {
	var expected domain.Scope
	if in.Body != nil {
		expected = domain.Scope(in.Body.ExpectedScope.Value)
	}
	return none{}, "", r.Accounts.DeleteToken(ctx, in.ID, expected)
}
