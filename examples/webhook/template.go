package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

// placeholder is a name in braces. Other braces, of which JSON has many, are left alone.
var placeholder = regexp.MustCompile(`\{[a-z_]+(\.[a-z_]+)*\}`)

// fill puts what the event says into the places of a template. A name that there is not stays as it is.
func fill(template string, req *sdk.EventRequest) string {
	return placeholder.ReplaceAllStringFunc(template, func(place string) string {
		name := strings.Trim(place, "{}")
		switch path := strings.Split(name, "."); {
		case name == "id":
			return fmt.Sprintf("evt_%d", req.EventID)
		case name == "type":
			return req.Type
		case name == "time":
			return fmt.Sprint(req.Time)
		case path[0] == "data":
			if value, ok := find(json.RawMessage(req.Payload), path[1:]); ok {
				return value
			}
		}
		return place
	})
}

// find follows path into a JSON object. Text comes without its quotes but with its escapes, so that it can stand inside
// quotes; everything else as it is in the object.
func find(value json.RawMessage, path []string) (string, bool) {
	if len(path) == 0 {
		if text := strings.TrimPrefix(string(value), `"`); len(text) < len(value) {
			return strings.TrimSuffix(text, `"`), true
		}
		return string(value), true
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil || members[path[0]] == nil {
		return "", false
	}
	return find(members[path[0]], path[1:])
}
