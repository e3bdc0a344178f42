package pasarguard

import "github.com/sluicehq/sluice/httpapi/optional"

// field is a member of a request: absent leaves alone what it is about, null is none of it.
type field[T any] = optional.Field[T]

// fill writes a value to where it belongs if it was given: for members of which null is the same as absent.
func fill[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}
