// Package parameters reads and writes what a plugin is given with a request, as the domain stores it: a JSON object, or "".
package parameters

import "encoding/json"

// Of reads parameters as they are stored, nil = none.
func Of(stored string) map[string]any {
	var object map[string]any
	if stored != "" {
		_ = json.Unmarshal([]byte(stored), &object) // it was checked before it was stored
	}
	return object
}

// Text is how parameters are stored, with their keys in order; none are "".
func Text(params map[string]any) string {
	if len(params) == 0 {
		return ""
	}
	text, _ := json.Marshal(params) // it came out of JSON
	return string(text)
}
