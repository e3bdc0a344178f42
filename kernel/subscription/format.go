package subscription

import (
	"slices"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Formats that are asked for by name inside of Sluice.
const (
	formatLinks  = "links"        // one share link a line
	formatBase64 = "links-base64" // the same in base64: what apps expect of a bare subscription URL
)

// otherNames are those of formats in PasarGuard's URLs, where they differ.
var otherNames = map[string]string{
	"links_base64": formatBase64, "clash_meta": "clash", "sing_box": "sing-box", "xray": "xray-json",
}

// format is the id of the format that is asked for by name. An id that is loaded is never another's name.
func (s *Service) format(name string) string {
	if name == "" {
		return formatBase64
	}
	if id, known := otherNames[name]; known && !slices.Contains(s.formats(), name) {
		return id
	}
	return name
}

// formats are the ids of those that are loaded.
func (s *Service) formats() []string {
	var ids []string
	for _, item := range s.Renderer.Items(wire.KindFormat) {
		ids = append(ids, item.ID)
	}
	return ids
}
