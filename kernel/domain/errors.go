package domain

import "errors"

// Code says what kind of failure an Error is; a dialect turns it into its own status.
type Code string

// The codes, from the least to the most severe for the caller.
const (
	CodeInvalid     Code = "invalid"     // the request can never succeed as it is
	CodeNotFound    Code = "not_found"   // what it names does not exist
	CodeConflict    Code = "conflict"    // it collides with what exists
	CodeForbidden   Code = "forbidden"   // the caller may not
	CodeUnavailable Code = "unavailable" // a part is down now; the same request may succeed later
)

// Error is a failure that may be shown to a caller as one plain sentence without secrets. With a Field the sentence is
// the field followed by the message ("port must be 1 to 65535"), so that a dialect can put its own name of the field
// there; without one the message is the whole sentence. Its cause, if any, is for the log only and is reached with
// errors.Unwrap.
type Error struct {
	Code    Code
	Field   string // what is at fault, in the words of this package; "" when no field is
	Message string
	cause   error
}

// Error returns the sentence that is safe to show.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + " " + e.Message
}

// Unwrap returns the hidden cause, nil when there is none.
func (e *Error) Unwrap() error { return e.cause }

// Because returns a copy of e that carries its cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Invalid reports that field can not have the value it was given; the message goes on after the field's name.
func Invalid(field, message string) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: message}
}

// NotFound reports that what was named does not exist.
func NotFound(message string) *Error { return &Error{Code: CodeNotFound, Message: message} }

// Conflict reports that field collides with something that exists; the message goes on after the field's name.
func Conflict(field, message string) *Error {
	return &Error{Code: CodeConflict, Field: field, Message: message}
}

// Forbidden reports that the caller may not do this.
func Forbidden(message string) *Error { return &Error{Code: CodeForbidden, Message: message} }

// Unavailable reports that a part of the system can not answer now.
func Unavailable(message string) *Error { return &Error{Code: CodeUnavailable, Message: message} }

// CodeOf returns the code of the first Error in err's chain, "" when there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
