package ops

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/install"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

const pluginTag = "plugins"

// PluginPath is a path with a plugin's name. It is exported because huma looks into embedded types only if they are.
type PluginPath struct {
	Name string `path:"name" doc:"of the plugin; of a file that is refused before its name is known, the file's"`
}

// Resolve decodes the name.
func (p *PluginPath) Resolve(huma.Context) []error { return request.Segment(&p.Name, "name") }

type pluginReply struct{ Body pluginBody }

func (o Options) plugins(api huma.API) {
	huma.Register(api, operation(api, http.MethodGet, "/plugins", "List the plugins, refused files too", pluginTag), o.listPlugins)
	huma.Register(api, operation(api, http.MethodGet, "/plugins/{name}", "One plugin", pluginTag), o.getPlugin)
	upload := operation(api, http.MethodPost, "/plugins", "Add a plugin, or a new version of one", pluginTag)
	upload.DefaultStatus = http.StatusCreated
	huma.Register(api, upload, o.uploadPlugin)
	huma.Register(api, operation(api, http.MethodPut, "/plugins/{name}", "Switch, set up and grant; absent fields stay", pluginTag), o.changePlugin)
	remove := operation(api, http.MethodDelete, "/plugins/{name}", "Remove a plugin and what it has stored", pluginTag)
	remove.DefaultStatus = http.StatusNoContent
	huma.Register(api, remove, o.deletePlugin)
	preview := operation(api, http.MethodPost, "/plugins/{name}/preview", "What users get now and would get", pluginTag)
	preview.RequestBody = &huma.RequestBody{
		Description: `another version of the plugin, or {"settings": {...}}; nothing = the file in the folder`,
		Content:     map[string]*huma.MediaType{"application/wasm": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}
	huma.Register(api, preview, o.previewPlugin)
	huma.Register(api, operation(api, http.MethodGet, "/plugins/{name}/log", "The last lines of a plugin's log", pluginTag), o.pluginLog)
}

// shown is a plugin for the caller: who may change nothing does not see what signs.
func (o Options) shown(ctx context.Context, info plugin.Info) pluginBody {
	b := newPluginBody(info, o.Plugins.Policy(info.Name))
	if who, _ := auth.From(ctx); who.Token.Scope == domain.ScopeReadonly {
		b.Secret = ""
	}
	return b
}

type pluginsReply struct {
	Body struct {
		Plugins []pluginBody `json:"plugins" doc:"the built-in one first"`
	}
}

func (o Options) listPlugins(ctx context.Context, _ *struct{}) (*pluginsReply, error) {
	reply := &pluginsReply{}
	reply.Body.Plugins = []pluginBody{}
	for _, info := range o.Plugins.List() {
		reply.Body.Plugins = append(reply.Body.Plugins, o.shown(ctx, info))
	}
	return reply, nil
}

func (o Options) getPlugin(ctx context.Context, in *PluginPath) (*pluginReply, error) {
	info, err := o.Plugins.Find(in.Name)
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	return &pluginReply{o.shown(ctx, info)}, nil
}

// pluginUpload is the file itself. Of a form nothing would be known of the file but its name, which is the manifest's.
type pluginUpload struct {
	RawBody []byte `contentType:"application/wasm" doc:"the .wasm file as it is, or compressed with gzip"`
}

func (o Options) uploadPlugin(ctx context.Context, in *pluginUpload) (*pluginReply, error) {
	wasm, err := unpacked(in.RawBody)
	if err != nil {
		return nil, err
	}
	info, err := o.Plugins.Upload(ctx, wasm)
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	return &pluginReply{o.shown(ctx, info)}, nil
}

// unpacked is the file in the body of a request, which is a WebAssembly module or one that gzip has compressed. The
// headers are not asked: scripts send what their tool puts there.
func unpacked(body []byte) ([]byte, error) {
	refused := func(why string) error { return detail.Fields{"body": why}.Of() }
	switch {
	case bytes.HasPrefix(body, []byte("\x00asm")):
		return body, nil
	case !bytes.HasPrefix(body, []byte{0x1f, 0x8b}):
		return nil, refused("must be a .wasm file, sent as it is (curl --data-binary @plugin.wasm) or compressed with gzip")
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, refused("can not be unpacked: it is no gzip file")
	}
	wasm, err := io.ReadAll(io.LimitReader(r, wire.MaxFile+1))
	switch {
	case len(wasm) > wire.MaxFile:
		return nil, refused(fmt.Sprintf("must have at most %d bytes when it is unpacked", wire.MaxFile))
	case err != nil:
		return nil, refused("can not be unpacked: the gzip file is damaged")
	}
	return wasm, nil
}

func (o Options) changePlugin(ctx context.Context, in *pluginChange) (*pluginReply, error) {
	info, err := o.Plugins.Change(ctx, in.Name, in.change())
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	return &pluginReply{o.shown(ctx, info)}, nil
}

type pluginRemoval struct {
	PluginPath
	Keep bool `query:"keep" doc:"keep settings, grants and what it has stored, for when it comes back"`
}

func (o Options) deletePlugin(ctx context.Context, in *pluginRemoval) (*struct{}, error) {
	if err := o.Plugins.Delete(ctx, in.Name, in.Keep); err != nil {
		return nil, o.fail(ctx, err)
	}
	return nil, nil
}

type logQuery struct {
	PluginPath
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"how many of the last lines"`
}

type logLine struct {
	Time  string `json:"time" format:"date-time"`
	Level string `json:"level" enum:"debug,info,warn,error"`
	Text  string `json:"text"`
}

// levels are the words of a line's level.
var levels = map[wire.LogLevel]string{wire.LogDebug: "debug", wire.LogInfo: "info", wire.LogWarn: "warn", wire.LogError: "error"}

type logReply struct {
	Body struct {
		Lines []logLine `json:"lines" doc:"oldest first"`
	}
}

func (o Options) pluginLog(ctx context.Context, in *logQuery) (*logReply, error) {
	lines, err := o.Plugins.Lines(in.Name)
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	reply := &logReply{}
	reply.Body.Lines = []logLine{}
	for _, l := range lines[max(0, len(lines)-in.Limit):] {
		reply.Body.Lines = append(reply.Body.Lines, logLine{utc(l.Time.UnixMilli()), levels[l.Level], l.Text})
	}
	return reply, nil
}

type previewQuery struct {
	PluginPath
	Users string `query:"users" doc:"names, separated by commas; empty = the first ones"`
	Count int    `query:"count" minimum:"1" maximum:"20" default:"3" doc:"how many of the first users"`

	body []byte
}

// Resolve reads the body, which there need not be.
func (q *previewQuery) Resolve(ctx huma.Context) (faults []error) {
	faults = q.PluginPath.Resolve(ctx)
	body, err := io.ReadAll(ctx.BodyReader())
	if q.body = body; err != nil {
		faults = append(faults, &huma.ErrorDetail{Location: "body", Message: "can not be read"})
	}
	return faults
}

type sampleBody struct {
	User       string `json:"user" doc:"whom it is for, empty for names"`
	Now        string `json:"now"`
	Would      string `json:"would"`
	Diff       string `json:"diff" doc:"unified, empty when nothing would change"`
	NowError   string `json:"now_error" doc:"why there is nothing now"`
	WouldError string `json:"would_error" doc:"why there would be nothing"`
}

type previewBody struct {
	Kind    string       `json:"kind"`
	ID      string       `json:"id"`
	Samples []sampleBody `json:"samples" doc:"none for events"`
}

type previewReply struct {
	Body struct {
		Items []previewBody `json:"items"`
	}
}

func (o Options) previewPlugin(ctx context.Context, in *previewQuery) (*previewReply, error) {
	r := install.PreviewRequest{Count: in.Count}
	if in.Users != "" {
		r.Users = strings.Split(in.Users, ",")
	}
	if err := readPreview(in.body, &r); err != nil {
		return nil, err
	}
	previews, err := o.Plugins.Preview(ctx, in.Name, r)
	if err != nil {
		return nil, o.fail(ctx, err)
	}
	reply := &previewReply{}
	reply.Body.Items = []previewBody{}
	for _, p := range previews {
		b := previewBody{p.Kind, p.ID, []sampleBody{}}
		for _, s := range p.Samples {
			b.Samples = append(b.Samples, sampleBody(s))
		}
		reply.Body.Items = append(reply.Body.Items, b)
	}
	return reply, nil
}

// readPreview reads the body of a preview, which is nothing, a file, or settings.
func readPreview(body []byte, r *install.PreviewRequest) (err error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		body = bytes.TrimSpace(body)
	}
	switch {
	case len(body) == 0:
		return nil
	case body[0] != '{':
		r.Wasm, err = unpacked(body)
		return err
	}
	var given struct {
		Settings *map[string]any `json:"settings"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&given); err != nil {
		return detail.Fields{"body": `must be a .wasm file or {"settings": {...}}`}.Of()
	}
	if given.Settings != nil {
		text, _ := json.Marshal(*given.Settings) // it came out of JSON
		settings := string(text)
		r.Settings = &settings
	}
	return nil
}
