package pasarguard

import (
	"embed"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/examples"
)

// exampleFiles hold what a request and its answer look like, by route. Values are those of PasarGuard's page about user
// templates where it has an example; what it leaves out of an answer is filled in.
//
//go:embed examples/*.json
var exampleFiles embed.FS

// describe adds the examples to the dialect's operations.
func describe(api *huma.OpenAPI) { examples.Describe(api, Prefix, exampleFiles) }
