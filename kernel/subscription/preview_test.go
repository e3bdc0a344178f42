package subscription

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// recorder renders like another, remembers what it was asked, and signs the body.
type recorder struct {
	Renderer
	asked []string
	err   error
}

func (r *recorder) Render(ctx context.Context, req *wire.FormatRequest) (plugin.Rendered, error) {
	r.asked = append(r.asked, string(req.Append(nil)))
	made, err := r.Renderer.Render(ctx, req)
	made.Body = append(made.Body, "signed"...)
	if r.err != nil {
		err = r.err
	}
	return made, err
}

func TestPreview(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.reload()
	alice, bob := b.user("alice", id), b.user("bob", id)
	live, trial := &recorder{Renderer: renderer}, &recorder{Renderer: renderer}
	b.Renderer = live
	got, err := b.Preview(t.Context(), trial, "links", []int64{bob.ID, alice.ID})
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, name := range []string{"bob", "alice"} {
		want := "vless://" + uuidOf(name) + "@localhost:443?encryption=none&security=none&type=tcp#one-" + name + "\nsigned"
		p := got[i]
		if p.Username != name || string(p.Now.Body) != want || string(p.Would.Body) != want || p.NowError != "" || p.WouldError != "" {
			t.Errorf("%+v", p)
		}
		if live.asked[i] != trial.asked[i] {
			t.Errorf("they were asked different things for %s", name)
		}
	}
	if noted := b.fetches.take(); len(noted) != 0 {
		t.Errorf("a preview is noted as a fetch: %v", noted)
	}
	made, err := b.RenderAs(t.Context(), trial, alice, "links")
	if err != nil || string(made.Body) != string(got[1].Would.Body) {
		t.Errorf("rendered as %q, %v", made.Body, err)
	}
}

func TestPreviewThatFails(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.reload()
	alice := b.user("alice", id)
	trial := &recorder{Renderer: renderer, err: domain.Unavailable("plugin x crashed").Because(plugin.ErrTrap)}
	got, err := b.Preview(t.Context(), trial, "links", []int64{alice.ID})
	if err != nil || got[0].NowError != "" || len(got[0].Now.Body) == 0 || got[0].WouldError != "plugin x crashed" || got[0].Would.Body != nil {
		t.Errorf("a trial that crashes: %+v, %v", got, err)
	}
	got, err = b.Preview(t.Context(), &recorder{Renderer: renderer}, "pigeon", []int64{alice.ID})
	if err != nil || got[0].NowError == "" || got[0].WouldError == "" {
		t.Errorf("a format that nobody has: %+v, %v", got, err)
	}
	b.Loopback = false
	got, err = b.Preview(t.Context(), trial, "links", []int64{alice.ID})
	if err != nil || got[0].NowError != errNoAddress.Error() || got[0].WouldError != errNoAddress.Error() {
		t.Errorf("without an address: %+v, %v", got, err)
	}
	if _, err := b.Preview(t.Context(), trial, "links", []int64{99}); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("an unknown user: %v", err)
	}
}
