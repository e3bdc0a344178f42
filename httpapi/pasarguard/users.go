package pasarguard

import (
	"context"

	"github.com/sluicehq/sluice/kernel/accounts"
)

const usersTag = "users"

func (r routes) users() {
	handle(r, created("/user", "Make a user", usersTag), r.createUser)
	handle(r, get("/user/{username}", "Read a user", usersTag), r.getUser)
	handle(r, put("/user/{username}", "Change a user", usersTag), r.updateUser)
	handleEmpty(r, remove("/user/{username}", "Delete a user", usersTag), r.deleteUser)
	handle(r, put("/user/{username}/disabled", "Disable or enable a user", usersTag), r.disableUser)
	handle(r, post("/user/{username}/reset", "Set a user's usage to zero and forget its history", usersTag), oneUser(r, r.Accounts.ResetUsageOf))
	handle(r, post("/user/{username}/revoke_sub", "Give a user a new subscription link and new credentials", usersTag), oneUser(r, r.Accounts.RevokeSubOf))
	handle(r, post("/user/{username}/active_next", "Give a user its next plan now", usersTag), oneUser(r, r.Accounts.ActivateNextOf))
	handle(r, r.sudo(put("/user/{username}/set_owner", "Give a user to another admin", usersTag)), r.setOwner)
	handle(r, get("/user/{username}/usage", "What a user has moved, by time", usersTag), r.userUsage)
	handle(r, get("/user/{username}/sub_update", "The last times that a user's apps asked for its subscription", usersTag), r.subUpdates)
}

type newUserRequest struct{ Body newUserInput }

func (r routes) createUser(ctx context.Context, who accounts.Principal, in *newUserRequest) (userBody, error) {
	n, err := in.Body.newUser(r.Accounts.Clock.Now().UnixMilli())
	if err != nil {
		return userBody{}, err
	}
	return r.shown(r.Accounts.CreateUserOf(ctx, who, n))
}

// shown is the answer of a route about one user.
func (r routes) shown(v accounts.OwnedView, err error) (userBody, error) {
	if err != nil {
		return userBody{}, err
	}
	return r.viewBody(v), nil
}

func (r routes) getUser(ctx context.Context, who accounts.Principal, in *UserPath) (userBody, error) {
	return r.shown(r.Accounts.UserOf(ctx, who, in.Username))
}

type userChange struct {
	UserPath
	Body UserInput
}

func (r routes) updateUser(ctx context.Context, who accounts.Principal, in *userChange) (userBody, error) {
	return r.shown(r.Accounts.UpdateUserOf(ctx, who, in.Username, in.Body.edit))
}

func (r routes) deleteUser(ctx context.Context, who accounts.Principal, in *UserPath) error {
	return r.Accounts.DeleteUserOf(ctx, who, in.Username)
}

type userSwitch struct {
	UserPath
	Body struct {
		Disabled bool `json:"disabled" required:"true"`
	}
}

func (r routes) disableUser(ctx context.Context, who accounts.Principal, in *userSwitch) (userBody, error) {
	return r.shown(r.Accounts.UpdateUserOf(ctx, who, in.Username, func(v *accounts.UserView) error {
		v.Enabled = !in.Body.Disabled
		return nil
	}))
}

// oneUser is a route that does something to the user of its path.
func oneUser(
	r routes, do func(ctx context.Context, who accounts.Principal, name string) (accounts.OwnedView, error),
) func(context.Context, accounts.Principal, *UserPath) (userBody, error) {
	return func(ctx context.Context, who accounts.Principal, in *UserPath) (userBody, error) {
		return r.shown(do(ctx, who, in.Username))
	}
}

type ownerChange struct {
	UserPath
	Admin string `query:"admin_username" required:"true" doc:"the admin that the user belongs to then"`
}

func (r routes) setOwner(ctx context.Context, who accounts.Principal, in *ownerChange) (userBody, error) {
	return r.shown(r.Accounts.SetOwner(ctx, who, in.Username, in.Admin))
}
