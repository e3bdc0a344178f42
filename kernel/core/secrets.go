package core

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
)

// secrets are a user's credentials in one string: a third of the space, with one uuid and one password as most users have
// them, and equal exactly when the core can not tell them apart. The cipher that vmess clients are told is not in it.
type secrets string

// How the next secret is written. Any other first byte is the length of the text that follows.
const (
	sameAsLast byte = 255 - iota // as the secret before it
	asUUID                       // 16 bytes, written by uuid.UUID.String
	longText                     // 4 bytes of length, and as many of text
	absent                       // nil
	firstMark  = absent
)

// pack writes credentials down.
func pack(c *domain.Credentials) secrets {
	b := make([]byte, 0, 96)
	last := ""
	for _, s := range []string{c.VLESSID, c.VMessID, c.TrojanPassword, c.ShadowsocksPassword, c.HysteriaAuth, c.Flow} {
		b = appendSecret(b, s, last)
		last = s
	}
	if c.Method == nil {
		return secrets(append(b, absent))
	}
	return secrets(appendSecret(b, *c.Method, last))
}

func appendSecret(b []byte, s, last string) []byte {
	if s != "" && s == last {
		return append(b, sameAsLast)
	}
	if id, err := uuid.Parse(s); err == nil && id.String() == s {
		return append(append(b, asUUID), id[:]...)
	}
	if len(s) < int(firstMark) {
		return append(append(b, byte(len(s))), s...)
	}
	b = binary.BigEndian.AppendUint32(append(b, longText), uint32(len(s)))
	return append(b, s...)
}

// credentials reads what pack wrote. The zero secrets are no credentials.
func (p secrets) credentials() (c domain.Credentials) {
	if p == "" {
		return c
	}
	last, none := "", false
	for _, to := range []*string{
		&c.VLESSID, &c.VMessID, &c.TrojanPassword, &c.ShadowsocksPassword, &c.HysteriaAuth, &c.Flow,
	} {
		*to, p, _ = p.next(last)
		last = *to
	}
	if last, _, none = p.next(last); !none {
		c.Method = &last
	}
	return c
}

// next reads one secret and returns what follows it. Texts are not copied.
func (p secrets) next(last string) (s string, rest secrets, none bool) {
	mark, p := p[0], p[1:]
	size := int(mark)
	switch mark {
	case sameAsLast:
		return last, p, false
	case absent:
		return "", p, true
	case asUUID:
		return uuid.UUID([]byte(p[:16])).String(), p[16:], false
	case longText:
		size, p = int(binary.BigEndian.Uint32([]byte(p[:4]))), p[4:]
	}
	return string(p[:size]), p[size:], false
}
