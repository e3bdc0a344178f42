package storage

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/kernel/domain"
)

// class is a kind of failure that both databases know, under their own names.
type class int

const (
	classOther       class = iota // nothing that was foreseen
	classUnique                   // two rows with one name
	classReference                // a row that names one that is not there
	classText                     // characters that can not be stored
	classBusy                     // somebody else holds it for longer than we wait
	classFull                     // no room
	classReadOnly                 // not writable now
	classDamaged                  // the file is not what it should be
	classUnreachable              // nobody answers
)

// failures are what a caller is told of each class.
var failures = map[class]*domain.Error{
	classOther:       domain.Unavailable("the database could not do this"),
	classReference:   {Code: domain.CodeNotFound, Message: "this refers to something that does not exist"},
	classText:        domain.Invalid("", "a text contains characters that can not be stored"),
	classBusy:        domain.Unavailable("the database is busy, try again"),
	classFull:        domain.Unavailable("the disk is full: nothing can be stored until there is room again"),
	classReadOnly:    domain.Unavailable("the database can not be written now"),
	classDamaged:     domain.Unavailable("the database is damaged"),
	classUnreachable: domain.Unavailable("the database can not be reached"),
}

// conflicts are what a caller is told when a value of table.column is there already. They name the field and never
// who has the value. Field is the column: a dialect renames it.
var conflicts = map[string]*domain.Error{
	"users.username_key":         domain.Conflict("username_key", "is already in use"),
	"users.sub_id":               domain.Conflict("sub_id", "is already in use"),
	"users.vless_id":             domain.Conflict("vless_id", "is already in use"),
	"users.vmess_id":             domain.Conflict("vmess_id", "is already in use"),
	"users.trojan_password":      domain.Conflict("trojan_password", "is already in use"),
	"users.shadowsocks_password": domain.Conflict("shadowsocks_password", "is already in use"),
	"users.hysteria_auth":        domain.Conflict("hysteria_auth", "is already in use"),
	"inbounds.tag":               domain.Conflict("tag", "is already in use"),
	"admins.username_key":        domain.Conflict("username_key", "is already in use"),
	"tokens.name":                domain.Conflict("name", "is already in use"),
	"tokens.hash":                domain.Conflict("hash", "is already in use"),
	"groups.name":                domain.Conflict("name", "is already in use"),
	"templates.name":             domain.Conflict("name", "is already in use"),
}

// missing are what a caller is told when a row of the kind is not there.
var missing = map[domain.Kind]*domain.Error{
	domain.KindUser:     domain.NotFound("client not found"),
	domain.KindInbound:  domain.NotFound("inbound not found"),
	domain.KindGroup:    domain.NotFound("group not found"),
	domain.KindAdmin:    domain.NotFound("admin not found"),
	domain.KindToken:    domain.NotFound("token not found"),
	domain.KindTemplate: domain.NotFound("template not found"),
	domain.KindHost:     domain.NotFound("host not found"),
	domain.KindPlugin:   domain.NotFound("plugin not found"),
}

// notFound says that a row of kind is not there.
func notFound(kind domain.Kind, cause error) error { return missing[kind].Because(cause) }

// fail is the one place where a driver's error becomes a domain error, wrapped with what was being done. nil stays nil,
// a domain error stays one, and when the caller gave up its context's error is the answer.
func fail(ctx context.Context, e engine, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case domain.CodeOf(err) != "":
		return fmt.Errorf("%s: %w", doing, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	kind, column := e.classify(err)
	told := failures[kind]
	if kind == classUnique {
		if told = conflicts[column]; told == nil {
			told = domain.Conflict("", "this exists already")
		}
	}
	return fmt.Errorf("%s: %w", doing, told.Because(err))
}
