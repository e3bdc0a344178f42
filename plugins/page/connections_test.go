package page

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/net/html"

	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// TestCodes reads every QR code of a page with every kind of link, as a camera does, and finds the link beside it.
func TestCodes(t *testing.T) {
	req := linkstest.All("html")
	req.URL = sample().URL
	list, left := new(links.Renderer).Links(req)
	if left > 0 {
		t.Fatalf("%d links are missing", left)
	}
	want := append([]string{req.URL}, strings.Split(strings.TrimSuffix(string(list), "\n"), "\n")...)
	document := parse(t, render(t, req).Body)
	shown := elements(document, tag("code"))
	codes := elements(document, class("code"))
	if len(shown) != len(want) || len(codes) != len(want) {
		t.Fatalf("%d links and %d codes, want %d", len(shown), len(codes), len(want))
	}
	for i, link := range want {
		if got := shown[i].FirstChild.Data; got != link {
			t.Errorf("got  %s\nwant %s", got, link)
		}
		images := elements(codes[i], tag("img"))
		if len(images) != 1 {
			t.Errorf("%d codes of %s", len(images), link)
			continue
		}
		if got := scan(t, attribute(images[0], "src")); got != link {
			t.Errorf("the code says %s\nwant           %s", got, link)
		}
	}
}

// scan reads the code in an image, from a picture of it.
func scan(t *testing.T, src string) string {
	t.Helper()
	picture, err := gozxing.NewBinaryBitmapFromImage(photo(t, src))
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(picture, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("%v in %s", err, src)
	}
	return result.GetText()
}

// photo shows a bitmap of one pixel per module with four.
func photo(t *testing.T, src string) image.Image {
	t.Helper()
	packed, found := strings.CutPrefix(src, "data:image/bmp;base64,")
	b, err := base64.StdEncoding.DecodeString(packed)
	if err != nil || !found || !bytes.HasPrefix(b, []byte("BM")) || int(binary.LittleEndian.Uint32(b[2:])) != len(b) {
		t.Fatalf("not a bitmap: %v", err)
	}
	const scale = 4
	side := int(binary.LittleEndian.Uint32(b[18:]))
	pixels := b[binary.LittleEndian.Uint32(b[10:]):]
	stride := len(pixels) / side
	picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for y := range side * scale {
		for x := range side * scale {
			px, py := x/scale, side-1-y/scale
			if pixels[py*stride+px/8]&(0x80>>(px%8)) == 0 {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return picture
}

// TestCodeOfEverySize holds each length against the next version, up to the largest.
func TestCodeOfEverySize(t *testing.T) {
	var r Renderer
	src := func(text string) string {
		var w writer
		r.code(&w, text, "")
		_, after, _ := strings.Cut(string(w.buf), `src="`)
		src, _, _ := strings.Cut(after, `"`)
		return src
	}
	alphabet := "https://example.com/%20?a=b&c=#ABC"
	for _, length := range []int{1, 17, 18, 230, 231, 1000, 1003, 2000, 2952, 2953} {
		text := strings.Repeat(alphabet, length/len(alphabet)+1)[:length]
		if got := scan(t, src(text)); got != text {
			t.Errorf("%d bytes: got %q", length, got)
		}
	}
	if got := src(strings.Repeat("x", 2954)); got != "" {
		t.Errorf("there is a code of 2,954 bytes: %s", got)
	}
}

func TestLinkTooLongForACode(t *testing.T) {
	req := &sdk.FormatRequest{
		Endpoints: []wire.Endpoint{{RawURI: "vless://" + strings.Repeat("x", 4000)}}, Accounts: []wire.Account{{Remark: "long"}},
	}
	document := parse(t, render(t, req).Body)
	if got := one(t, document, class("code")); !strings.HasSuffix(got, " | This link is too long for a QR code.") {
		t.Errorf("got %s", got)
	}
}

func TestConnections(t *testing.T) {
	req := &sdk.FormatRequest{
		Endpoints: []wire.Endpoint{
			{Protocol: "vless", Address: "a.example", Port: 443, Transport: wire.Transport{Network: "raw"}, Security: wire.Security{Kind: "reality"}},
			{Protocol: "socks", Address: "a.example", Port: 1080}, // has no link
			{Protocol: "vless", Address: "127.0.0.1", Port: 1},    // leads nowhere: it is there for its remark
			{Protocol: "hysteria", Address: "b.example", Port: 443, Transport: wire.Transport{Network: "hysteria"}, Security: wire.Security{Kind: "tls"}},
			{RawURI: "ss://abc@c.example:8388#theirs"},
			{Protocol: "vmess", Address: "d.example", Port: 80, Transport: wire.Transport{Network: "ws"}, Security: wire.Security{Kind: "none"}},
		},
		Accounts: []wire.Account{{ID: "i", Remark: "سرور ۱"}, {}, {ID: "i", Remark: "⌛ Expired"}, {Password: "p"}, {Remark: "Theirs"}, {ID: "i", Remark: "four"}},
	}
	document := parse(t, render(t, req).Body)
	var got []string
	for _, s := range elements(elements(document, class("connections"))[0], tag("summary")) {
		got = append(got, says(s))
	}
	want := "سرور ۱ | vless · reality\nConnection 2 | hysteria · tls\nTheirs | ss\nfour | vmess · ws"
	if list := strings.Join(got, "\n"); list != want {
		t.Errorf("got\n%s\nwant\n%s", list, want)
	}
	for _, b := range elements(document, tag("button")) {
		code := elements(document, id(attribute(b, "data-copy")))
		if len(code) != 1 || code[0].Data != "code" {
			t.Errorf("%q copies %v", says(b), code)
		}
	}
}

// A page with very many connections is made in time: the first have codes, all have links.
func TestManyConnections(t *testing.T) {
	req := sample()
	for len(req.Endpoints) < 2*maxCodes {
		req.Endpoints, req.Accounts = append(req.Endpoints, req.Endpoints[0]), append(req.Accounts, req.Accounts[0])
	}
	for range 2 { // the renderer is used again
		document := parse(t, render(t, req).Body)
		if codes, links := len(elements(document, class("qr"))), len(elements(document, tag("code"))); codes != maxCodes || links != 1+2*maxCodes {
			t.Errorf("%d codes and %d links", codes, links)
		}
	}
}

func TestNoConnections(t *testing.T) {
	document := parse(t, render(t, &sdk.FormatRequest{}).Body)
	got := one(t, document, func(n *html.Node) bool { return attribute(n, "aria-labelledby") == "connections" })
	if got != "Connections | There are none at the moment." {
		t.Errorf("got %s", got)
	}
}
