package names

import (
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

// sequence cuts the decimal number n0, if there is one, off the end of the base: stem + (n0 + start + i), without
// leading zeros. Source: the three examples of PasarGuard's user templates, user → user1, user10 → user11 and test with
// start 100 → test100.
func sequence(req *sdk.UsernameRequest) ([]string, error) {
	if req.Start < 0 {
		return nil, errStart
	}
	stem := strings.TrimRight(req.Base, "0123456789")
	number := req.Base[len(stem):]
	names := make([]string, count(req))
	for i := range names {
		names[i] = stem + sum(number, uint64(req.Start)+uint64(i))
	}
	return names, nil
}

// sum adds n to a decimal number of any length, "" being 0: a base may end with more digits than an integer has. n is at
// most 1<<63 + wire.MaxNames.
func sum(number string, n uint64) string {
	digits := []byte(number)
	for i := len(digits) - 1; i >= 0 && n > 0; i-- {
		n += uint64(digits[i] - '0')
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	for ; n > 0; n /= 10 {
		digits = append([]byte{byte('0' + n%10)}, digits...)
	}
	if s := strings.TrimLeft(string(digits), "0"); s != "" {
		return s
	}
	return "0"
}
