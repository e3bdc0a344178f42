package external

import (
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// maxLinks is how many share links of one provider are handed on; the rest of a longer list is left out.
const maxLinks = 500

var errNotLinks = domain.Unavailable("the answer is not a list of share links")

// parse returns the share links of a provider's answer: lines, or base64 of lines. Lines that are something else are
// left out; without any link it is an error, and so are the formats of single apps (Clash, sing-box) and pages for
// people.
func parse(body string) ([]string, error) {
	body = strings.TrimPrefix(body, "\ufeff")
	if !strings.Contains(body, "://") {
		if decoded, ok := decodeBase64(body); ok {
			body = decoded
		}
	}
	var links []string
	total := 0
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if len(line) > maxValue || !isText(line) || !isShareLink(line) {
			continue
		}
		if total += len(line); total > maxTotal { // more is never handed on, and would be read for every subscription
			break
		}
		if links = append(links, line); len(links) == maxLinks {
			break
		}
	}
	if len(links) == 0 {
		return nil, errNotLinks
	}
	return links, nil
}
