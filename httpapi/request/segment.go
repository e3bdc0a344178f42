package request

import (
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

// Segment decodes a segment of a path, which the router hands over as it was sent; field is what callers know it as. It is
// for huma's resolvers.
func Segment(segment *string, field string) []error {
	text, err := url.PathUnescape(*segment)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: field, Message: "is not a valid URL-encoded path segment"}}
	}
	*segment = text
	return nil
}
