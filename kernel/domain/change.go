package domain

// Kind names what a change is about.
type Kind string

// The kinds of changes.
const (
	KindUser    Kind = "user"
	KindInbound Kind = "inbound"
	KindGroup   Kind = "group"
	KindAdmin   Kind = "admin"
	KindToken   Kind = "token"
	KindSetting Kind = "setting"
	KindCore    Kind = "core"

	KindTemplate Kind = "template"
	KindHost     Kind = "host"
	KindPlugin   Kind = "plugin" // id 0: the operator's word on any of them
)

// Change is one row of the log of commits: what changed, deletes too. Others catch up by reading on from the last seq
// they know, and apply a record only if its revision is newer than theirs.
type Change struct {
	Seq  int64 `bun:"seq,pk,autoincrement"`
	Kind Kind  `bun:"kind"`
	ID   int64 `bun:"id"` // of the changed row, 0 where there is only one
	At   int64 `bun:"at"` // ms UTC
}
