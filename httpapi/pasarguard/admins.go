package pasarguard

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const adminsTag = "admins"

// adminBody is an admin as this dialect shows it.
type adminBody struct {
	Username string `json:"username"`
	AdminProfile
	ID           int64 `json:"id"`
	Sudo         bool  `json:"is_sudo"`
	Disabled     bool  `json:"is_disabled"`
	UserLimit    *int  `json:"user_limit" doc:"users that it may have, null = any number"`
	TotalUsers   int   `json:"total_users"`
	Used         int64 `json:"used_traffic" doc:"bytes, of the users that it has now"`
	LifetimeUsed int64 `json:"lifetime_used_traffic" doc:"bytes, of the users that it has now, ever"`
}

func newAdminBody(v accounts.AdminView) (adminBody, error) {
	profile, err := readProfile(v.Profile)
	return adminBody{
		Username: v.Username, AdminProfile: profile, ID: v.ID, Sudo: v.Sudo, Disabled: !v.Enabled, UserLimit: v.UserLimit,
		TotalUsers: v.Total.Users, Used: v.Total.Up + v.Total.Down, LifetimeUsed: v.Total.Lifetime,
	}, err
}

// AdminChange is what may be said of an admin. What is absent or null stays as it is; a new admin has none of it then.
type AdminChange struct {
	Sudo      *bool `json:"is_sudo"`
	Disabled  *bool `json:"is_disabled"`
	UserLimit *int  `json:"user_limit" minimum:"0" doc:"users that it may have, 0 = any number"`
	AdminProfile
}

// apply makes the change, but for the profile, which is given as it is to be.
func (c *AdminChange) apply(a *domain.Admin, profile string) {
	a.Profile = profile
	if c.Sudo != nil {
		a.Sudo = *c.Sudo
	}
	if c.Disabled != nil {
		a.Enabled = !*c.Disabled
	}
	if c.UserLimit != nil {
		a.UserLimit = c.UserLimit
		if *c.UserLimit == 0 {
			a.UserLimit = nil
		}
	}
}

type newAdmin struct {
	Body struct {
		Username string `json:"username" required:"true"`
		Password string `json:"password" required:"true" doc:"at least 12 characters, with two digits, two uppercase letters, two lowercase letters and one special character"`
		AdminChange
	}
}

type adminUpdate struct {
	UserPath
	Body struct {
		Password *string `json:"password" doc:"a new one, under the rule for new admins; it ends all sessions"`
		AdminChange
	}
}

type adminQuery struct {
	Paging
	Username string `query:"username" doc:"a part of the name"`
	Sort     string `query:"sort" doc:"username, created_at or used_traffic, several with commas; - in front = descending"`
}

type adminList struct {
	Admins   []adminBody `json:"admins"`
	Total    int         `json:"total"`
	Active   int         `json:"active"`
	Disabled int         `json:"disabled"`
}

type simpleAdminQuery struct {
	Paging
	Search string `query:"search" doc:"a part of the name"`
	Sort   string `query:"sort" doc:"as for the list of admins"`
	All    bool   `query:"all" doc:"no paging"`
}

type simpleAdmin struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

type simpleAdminList struct {
	Admins []simpleAdmin `json:"admins"`
	Total  int           `json:"total"`
}

// done is how this dialect says what became of many users.
type done struct {
	Detail string `json:"detail"`
}

// nothing is an empty object: its name is that of its schema in the API's document.
type nothing struct{}

func (r routes) admins() {
	handle(r, get("/admin", "Read the admin who asks", adminsTag), r.currentAdmin)
	handle(r, r.sudo(created("/admin", "Make an admin", adminsTag)), r.createAdmin)
	handle(r, r.sudo(put("/admin/{username}", "Change an admin", adminsTag)), r.updateAdmin)
	handleEmpty(r, r.sudo(remove("/admin/{username}", "Delete an admin; its users become those of who does it", adminsTag)), r.deleteAdmin)
	handle(r, r.sudo(get("/admins", "List admins", adminsTag)), r.listAdmins)
	handle(r, r.sudo(get("/admins/simple", "List the names of admins", adminsTag)), r.listSimpleAdmins)
	handle(r, r.sudo(post("/admin/{username}/users/disable", "Disable all users of an admin", adminsTag)), r.switchUsers(false))
	handle(r, r.sudo(post("/admin/{username}/users/activate", "Enable all users of an admin", adminsTag)), r.switchUsers(true))
	deletion := remove("/admin/{username}/users", "Delete all users of an admin", adminsTag)
	deletion.DefaultStatus = http.StatusOK
	handle(r, r.sudo(deletion), r.deleteUsersOfAdmin)
}

func (r routes) currentAdmin(ctx context.Context, who accounts.Principal, _ *struct{}) (adminBody, error) {
	return r.admin(ctx, who.Admin.Username)
}

func (r routes) admin(ctx context.Context, username string) (adminBody, error) {
	view, err := r.Accounts.Admin(ctx, username)
	if err != nil {
		return adminBody{}, err
	}
	return newAdminBody(view)
}

func (r routes) createAdmin(ctx context.Context, _ accounts.Principal, in *newAdmin) (adminBody, error) {
	if err := checkPassword(in.Body.Password); err != nil {
		return adminBody{}, err
	}
	profile, err := in.Body.mergedInto("")
	if err != nil {
		return adminBody{}, err
	}
	draft := domain.Admin{Username: in.Body.Username, Enabled: true}
	in.Body.apply(&draft, profile)
	admin, err := r.Accounts.AddAdmin(ctx, draft, in.Body.Password)
	if domain.CodeOf(err) == domain.CodeConflict {
		return adminBody{}, detail.Sentence(http.StatusConflict, "Admin already exists")
	}
	if err != nil {
		return adminBody{}, err
	}
	return newAdminBody(accounts.AdminView{Admin: admin})
}

func (r routes) updateAdmin(ctx context.Context, who accounts.Principal, in *adminUpdate) (adminBody, error) {
	if in.Body.Password != nil {
		if err := checkPassword(*in.Body.Password); err != nil {
			return adminBody{}, err
		}
	}
	err := r.Accounts.UpdateAdmin(ctx, who, in.Username, in.Body.Password, func(a *domain.Admin) error {
		profile, err := in.Body.mergedInto(a.Profile)
		in.Body.apply(a, profile)
		return err
	})
	if err != nil {
		return adminBody{}, err
	}
	return r.admin(ctx, in.Username)
}

func (r routes) deleteAdmin(ctx context.Context, who accounts.Principal, in *UserPath) error {
	return r.Accounts.DeleteAdmin(ctx, who, in.Username)
}

func (r routes) listAdmins(ctx context.Context, _ accounts.Principal, in *adminQuery) (adminList, error) {
	page, err := r.adminPage(ctx, in.Username, in.Sort, in.Paging)
	if err != nil {
		return adminList{}, err
	}
	list := adminList{Admins: make([]adminBody, len(page.Admins)), Total: page.Total, Active: page.Total - page.Disabled, Disabled: page.Disabled}
	for i, view := range page.Admins {
		if list.Admins[i], err = newAdminBody(view); err != nil {
			return adminList{}, err
		}
	}
	return list, nil
}

func (r routes) listSimpleAdmins(ctx context.Context, _ accounts.Principal, in *simpleAdminQuery) (simpleAdminList, error) {
	if in.All {
		in.Paging = Paging{}
	}
	page, err := r.adminPage(ctx, in.Search, in.Sort, in.Paging)
	list := simpleAdminList{Admins: make([]simpleAdmin, len(page.Admins)), Total: page.Total}
	for i, a := range page.Admins {
		list.Admins[i] = simpleAdmin{a.ID, a.Username}
	}
	return list, err
}

func (r routes) adminPage(ctx context.Context, search, sort string, p Paging) (accounts.AdminPage, error) {
	order, err := readOrder(sort, func(name string, descending bool) (accounts.AdminOrder, bool) {
		by := accounts.AdminSort(name)
		return accounts.AdminOrder{By: by, Descending: descending}, by.Known()
	})
	if err != nil {
		return accounts.AdminPage{}, err
	}
	return r.Accounts.Admins(ctx, accounts.AdminQuery{Search: search, Order: order, Offset: p.Offset, Limit: p.Limit})
}

// switchUsers is the operator's word on all users of an admin.
func (r routes) switchUsers(enabled bool) func(context.Context, accounts.Principal, *UserPath) (nothing, error) {
	return func(ctx context.Context, _ accounts.Principal, in *UserPath) (nothing, error) {
		_, err := r.Accounts.EnableAdminUsers(ctx, in.Username, enabled)
		return nothing{}, err
	}
}

func (r routes) deleteUsersOfAdmin(ctx context.Context, _ accounts.Principal, in *UserPath) (done, error) {
	n, err := r.Accounts.DeleteAdminUsers(ctx, in.Username)
	return done{fmt.Sprintf("operation has been successfuly done %d users deleted", n)}, err // the seed's spelling
}
