package xui

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// reading is an app that answers what ReadForm hands on.
func reading() *fiber.App {
	app := fiber.New(fiber.Config{DisablePreParseMultipartForm: true}) // as the server has it
	app.Post("/", ReadForm, func(c *fiber.Ctx) error { return c.Send(c.Request().Body()) })
	return app
}

// readForm returns what becomes of a body.
func readForm(t *testing.T, app *fiber.App, kind, body string) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("Content-Type", kind)
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	return string(got)
}

func TestReadForm(t *testing.T) {
	app := reading()
	for _, c := range []struct{ name, kind, body, want string }{
		{"numbers and booleans", fiber.MIMEApplicationForm, "port=443&total=+1+&enable=true&anonymous=0", `{"anonymous":false,"enable":true,"port":443,"total":1}`},
		{"empty ones", fiber.MIMEApplicationForm, "port=&total=&enable=&remark=&settings=", `{"enable":false,"port":0,"remark":"","settings":"","total":0}`},
		{"what is none of them", fiber.MIMEApplicationForm, "port=x&total=1.5&enable=yes", `{"enable":"yes","port":"x","total":"1.5"}`},
		{"text that looks like one", fiber.MIMEApplicationForm, "remark=1&tag=true&unknown=1", `{"remark":"1","tag":"true","unknown":"1"}`},
		{"signs", fiber.MIMEApplicationForm, "remark=%3Ca+b%2B%26%3D%22%C3%A9", `{"remark":"\u003ca b+\u0026=\"é"}`},
		{"a type with parameters", "Application/X-WWW-Form-URLencoded; charset=utf-8", "port=1", `{"port":1}`},
		{"JSON", fiber.MIMEApplicationForm, " {\"port\":\"1\"}", " {\"port\":\"1\"}"},
		{"a list", fiber.MIMEApplicationForm, "[]", "[]"},
		{"nothing", fiber.MIMEApplicationForm, "", ""},
		{"no form", fiber.MIMETextPlain, "port=1", "port=1"},
		{"a type that is none", "a/b/c;;", "port=1", "port=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readForm(t, app, c.kind, c.body); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// FuzzReadForm reads anything as a form. It must hand on the body as it is or as a JSON object, or refuse it in one line.
func FuzzReadForm(f *testing.F) {
	const part = "--b\r\nContent-Disposition: form-data; name=\"port\"\r\n\r\n1\r\n--b--\r\n"
	for _, seed := range []string{"", "port=443&enable=true&settings=%7B%7D", "port=%zz", "a=1&a=2", "=", "&", ";", "\xff=\x00", part, part[:30], "{}"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	app := reading()
	f.Fuzz(func(t *testing.T, body string, parts bool) {
		kind := fiber.MIMEApplicationForm
		if parts {
			kind = "multipart/form-data; boundary=b"
		}
		got := readForm(t, app, kind, body)
		if got == body {
			return
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(got), &object); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		if told, refused := object["msg"].(string); refused && object["success"] == false && strings.ContainsAny(told, "\r\n") {
			t.Fatalf("%q was refused with %q", body, told)
		}
	})
}

// A file part is read like any other.
func TestReadMultipartFile(t *testing.T) {
	values, err := readMultipart([]byte("--b\r\nContent-Disposition: form-data; name=\"settings\"; filename=\"s.json\"\r\n\r\n{}\r\n--b--\r\n"), "b")
	if err != nil || values.Get("settings") != "{}" {
		t.Errorf("got %v, %v", values, err)
	}
}
