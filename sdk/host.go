package sdk

import "bytes"

// hostFunc is the form of every import that answers: it returns the size of the reply and writes it to dst if it fits.
// If it does not, the host holds the reply and delivers it to the next call, which has an empty request.
type hostFunc func(request, dst []byte) (size int)

// answer is where imports put their replies; it only ever grows.
var answer = make([]byte, 4<<10)

// ask makes one import call and returns a copy of the reply.
func ask(fn hostFunc, request []byte) []byte {
	size := fn(request, answer)
	if size > len(answer) {
		answer = make([]byte, size)
		size = fn(nil, answer)
	}
	return bytes.Clone(answer[:size])
}
