package sdk

import (
	"errors"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Invalid is the error for a request that can never succeed as it is, such as bad parameters. message is one plain
// sentence for the operator.
func Invalid(message string) error { return &wire.Error{Code: wire.CodeInvalid, Message: message} }

// Retry is the error for a request that may succeed later.
func Retry(message string) error { return &wire.Error{Code: wire.CodeRetry, Message: message} }

// Call answers one request as the host would send it; it is how unit tests reach a plugin. The reply is valid until the
// next Call, the error is a *wire.Error. An unregistered item is CodeInvalid, an unknown op CodeUnimplemented, an error
// of the author's that is not from Invalid or Retry CodeInternal.
func Call(op wire.Op, request []byte) (reply []byte, err error) {
	reply, failure := guest.call(op, request, nil)
	if failure != nil {
		return nil, failure
	}
	return reply, nil
}

// call appends the reply to request to b.
func (p *plugin) call(op wire.Op, request, b []byte) ([]byte, *wire.Error) {
	var err error
	switch op {
	case wire.OpUsername:
		b, err = p.callUsername(request, b)
	case wire.OpPeriod:
		b, err = p.callPeriod(request, b)
	case wire.OpFormat:
		b, err = p.callFormat(request, b)
	case wire.OpPrepare:
		err = p.callPrepare(request)
	case wire.OpEvent:
		err = p.callEvent(request)
	case wire.OpConfigure:
		err = p.callConfigure(request)
	default:
		err = unimplemented("this plugin does not have the op")
	}
	if err != nil {
		return nil, failure(err)
	}
	return b, nil
}

func unimplemented(message string) error {
	return &wire.Error{Code: wire.CodeUnimplemented, Message: message}
}

func noItem(kind, id string) error { return Invalid("this plugin has no " + kind + " " + id) }

// failure gives err a code.
func failure(err error) *wire.Error {
	var coded *wire.Error
	var malformed wire.MalformedError
	switch {
	case errors.As(err, &coded):
		return coded
	case errors.As(err, &malformed):
		return &wire.Error{Code: wire.CodeInvalid, Message: err.Error()}
	}
	return &wire.Error{Code: wire.CodeInternal, Message: err.Error()}
}
