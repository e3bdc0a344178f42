package page

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// state is how a status is shown.
type state struct {
	label  string
	tone   string // a class of the style: good, wait, bad, off
	advice string // what it means and what to do, "" = all is well
}

// states are those of the kernel; a status that is not here is shown as it is.
var states = map[string]state{
	"active": {"Active", "good", ""},
	"on_hold": {
		"Not started", "wait", "Your time starts when you connect for the first time.",
	},
	"expired": {
		"Expired", "bad", "Your subscription has ended. Ask for a renewal: what you have set up in your app stays, and works again at once.",
	},
	"limited": {"Data used up", "bad", ""}, // the advice depends on the next reset
	"disabled": {
		"Switched off", "off", "This account has been switched off. Ask support if you did not expect that.",
	},
}

// account writes who the user is and how the subscription stands.
func (w *writer) account(req *sdk.FormatRequest) {
	u := &req.User
	s, known := states[u.Status]
	if !known {
		s = state{label: u.Status, tone: "off"}
	}
	w.raw(`<section class="card" aria-labelledby="user"><div class="who"><h1 id="user"><bdi>`)
	w.text(u.Username)
	w.raw(`</bdi></h1><p class="state ` + s.tone + `">`)
	w.text(s.label)
	w.raw(`</p></div>`)
	w.advice(req, s)
	w.usage(u)
	w.raw(`<dl class="facts">`)
	w.expiry(u, req.Now)
	if u.NextResetAt > 0 {
		w.fact("Usage resets", u.NextResetAt, req.Now)
	}
	if u.OnlineAt > 0 {
		w.fact("Last online", u.OnlineAt, req.Now)
	}
	w.raw(`</dl></section>`)
}

// advice writes what a user who can not connect, or has not yet, should know.
func (w *writer) advice(req *sdk.FormatRequest, s state) {
	limited := req.User.Status == "limited"
	if s.advice == "" && !limited {
		return
	}
	w.raw(`<div class="advice ` + s.tone + `"><p>`)
	switch {
	case !limited:
		w.raw(s.advice)
	case req.User.NextResetAt > req.Now:
		w.raw(`All of your data is used. You can connect again `)
		w.relative(req.User.NextResetAt, req.Now)
		w.raw(`, when your usage starts from zero.`)
	default:
		w.raw(`All of your data is used. Ask for more: what you have set up in your app stays, and works again at once.`)
	}
	w.raw(`</p>`)
	if url := supportURL(req.SupportURL); url != "" && s.tone != "wait" {
		w.link("button", url, "Contact support")
	}
	w.raw(`</div>`)
}

// usage writes what has been used, with a bar if there is a quota.
func (w *writer) usage(u *wire.User) {
	used := u.Up + u.Down
	w.raw(`<div class="usage"><p class="used"><strong>` + size(used) + `</strong> `)
	if !u.HasQuota {
		w.raw(`used, no limit</p>`)
	} else {
		percent := percentOf(used, u.Quota)
		w.raw(`of ` + size(u.Quota) + ` used</p><progress class="` + fullness(percent) + `" max="100" value="` +
			strconv.Itoa(percent) + `" aria-label="Data used">` + strconv.Itoa(percent) + ` %</progress>`)
	}
	w.raw(`<p class="parts"><span>` + size(u.Down) + ` down</span><span>` + size(u.Up) + ` up</span>`)
	if u.HasQuota {
		w.raw(`<span class="left">` + size(max(0, u.Quota-used)) + ` left</span>`)
	}
	w.raw(`</p></div>`)
}

// percentOf is how much of the quota is used, from 0 to 100. It says 100 only when nothing is left.
func percentOf(used, quota int64) int {
	if used >= quota {
		return 100
	}
	return int(float64(used) / float64(quota) * 100)
}

// fullness is the class of a bar.
func fullness(percent int) string {
	switch {
	case percent >= 100:
		return "full"
	case percent >= 85:
		return "high"
	default:
		return "fair"
	}
}

// expiry writes when the subscription ends. That of a held user is not known yet.
func (w *writer) expiry(u *wire.User, now int64) {
	switch {
	case u.ExpireAt > now:
		w.fact("Expires", u.ExpireAt, now)
	case u.ExpireAt > 0:
		w.fact("Expired", u.ExpireAt, now)
	case u.Status == "on_hold":
		w.raw(`<div><dt>Expires</dt><dd>Counted from your first connection</dd></div>`)
	default:
		w.raw(`<div><dt>Expires</dt><dd>Never</dd></div>`)
	}
}

// fact writes a moment: how far away it is, and when.
func (w *writer) fact(name string, at, now int64) {
	w.raw(`<div><dt>` + name + `</dt><dd>`)
	w.relative(at, now)
	w.raw(` <small>`)
	w.moment(at)
	w.raw(`</small></dd></div>`)
}
