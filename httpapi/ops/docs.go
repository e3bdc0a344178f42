package ops

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/etag"
	"github.com/swaggest/swgui/v5/static"
	"github.com/valyala/fasthttp"
)

//go:embed docs
var docs embed.FS

// docsPolicy keeps the page to what this server serves: no script in the page itself, nothing from the internet. The
// images are those in the stylesheet.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// asset is a file of the docs page.
type asset struct {
	files fs.FS
	name  string // compressed if it ends in .gz
	kind  string // content type
}

// assets are everything that the page loads, by the name under /docs/.
var assets = map[string]asset{
	"start.js":       {docs, "docs/start.js", fiber.MIMETextJavaScriptCharsetUTF8},
	"swagger-ui.js":  {static.FS, "swagger-ui-bundle.js.gz", fiber.MIMETextJavaScriptCharsetUTF8},
	"swagger-ui.css": {static.FS, "swagger-ui.css.gz", "text/css; charset=utf-8"},
	"favicon.png":    {static.FS, "favicon-32x32.png", "image/png"},
}

// RegisterDocs adds /openapi.json, the API's document as it is at the first request for it, and /docs, a page that shows
// it without the internet. Neither needs a token: both are the same on every server.
func RegisterDocs(router fiber.Router, api *huma.OpenAPI) {
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api) })
	unchanged := etag.New()
	router.Get("/openapi.json", unchanged, func(c *fiber.Ctx) error {
		text, err := document()
		if err != nil {
			return fmt.Errorf("write the API's document: %w", err)
		}
		c.Set(fiber.HeaderContentType, "application/openapi+json")
		return c.Send(text)
	})
	page := asset{docs, "docs/index.html", fiber.MIMETextHTMLCharsetUTF8}
	router.Get("/docs", unchanged, func(c *fiber.Ctx) error {
		if strings.HasSuffix(c.Path(), "/") { // its paths are relative
			return c.Redirect("../docs", fiber.StatusPermanentRedirect)
		}
		return page.serve(c)
	})
	router.Get("/docs/:file", unchanged, func(c *fiber.Ctx) error {
		a, known := assets[c.Params("file")]
		if !known {
			return fiber.ErrNotFound
		}
		return a.serve(c)
	})
}

func (a asset) serve(c *fiber.Ctx) error {
	content, err := fs.ReadFile(a.files, a.name)
	if err != nil {
		return fmt.Errorf("read a file of the docs page: %w", err)
	}
	c.Set(fiber.HeaderContentType, a.kind)
	c.Set(fiber.HeaderContentSecurityPolicy, docsPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderCacheControl, "no-cache") // a newer Sluice has other files under the same names
	if !strings.HasSuffix(a.name, ".gz") {
		return c.Send(content)
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(content)
	}
	_, err = fasthttp.WriteGunzip(c, content)
	return err
}
