package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	"code.dny.dev/ssrf"

	"github.com/sluicehq/sluice/kernel/domain"
)

// explain makes a sentence of what went wrong with a request to host, or to where that redirected.
func explain(ctx context.Context, host string, err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		if u, err := url.Parse(failed.URL); err == nil && u.Hostname() != "" {
			host = u.Hostname()
		}
	}
	var (
		said        *domain.Error
		unknown     *net.DNSError
		certificate *tls.CertificateVerificationError
		late        net.Error
		sentence    string
	)
	switch {
	case errors.As(err, &said):
		return said
	case errors.Is(err, ssrf.ErrProhibitedIP):
		sentence = "the address of " + host + " is not public"
	case ctx.Err() != nil, errors.As(err, &late) && late.Timeout():
		sentence = host + " did not answer in time"
	case errors.As(err, &unknown):
		sentence = "the address of " + host + " can not be found"
	case errors.As(err, &certificate):
		sentence = "the certificate of " + host + " is not valid"
	default:
		sentence = host + " can not be reached"
	}
	return domain.Unavailable(sentence).Because(bare(err))
}

// bare is err without the URL of the request, which may be a secret that no log should have.
func bare(err error) error {
	var (
		failed    *url.Error
		dialed    *net.OpError
		encrypted *tls.CertificateVerificationError
	)
	switch {
	case !errors.As(err, &failed), errors.As(err, &dialed), errors.As(err, &encrypted):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
	default: // it may quote what was sent, such as where to redirect to
		return errors.New("the exchange failed")
	}
	if failed != nil {
		return failed.Err
	}
	return err
}

func errStatus(host string, status int) error {
	return domain.Unavailable(fmt.Sprintf("%s answers with status %d", host, status))
}

func errTooLarge(host string, limit int64) error {
	return domain.Unavailable(fmt.Sprintf("%s answers with more than %d bytes", host, limit))
}
