package subscription

import "github.com/sluicehq/sluice/kernel/plugin"

// Formats that are named inside of Sluice.
const (
	formatLinks  = "links"        // one share link a line
	formatBase64 = "links-base64" // the same in base64: what apps expect of a bare subscription URL
	formatHTML   = "html"         // a page for people
)

// otherNames are those of formats in PasarGuard's URLs, where they differ.
var otherNames = map[string]string{
	"links_base64": formatBase64, "clash_meta": "clash", "sing_box": "sing-box", "xray": "xray-json",
}

// formatNamed is the id of the format that is asked for by name. An id that is loaded is never another's name.
func formatNamed(name string, formats []plugin.Item) string {
	if id, known := otherNames[name]; known && itemOf(formats, name) == nil {
		return id
	}
	return name
}
