package ops

import (
	"embed"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/examples"
)

//go:embed examples
var exampleFiles embed.FS

// describe adds the examples to the document.
func describe(api *huma.OpenAPI) { examples.Describe(api, Prefix, exampleFiles) }
