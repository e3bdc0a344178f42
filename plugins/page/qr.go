package page

import (
	"encoding/base64"
	"encoding/binary"

	"rsc.io/qr/coding"
)

// level is the lowest error correction: a screen has no scratches, and fewer modules are larger ones.
const level = coding.L

// mask is always the same one. The standard wants the best of eight, which costs eight times as much; what it is to
// prevent, large even areas, does not come from links.
const mask coding.Mask = 0

// codes makes QR codes and keeps what is the same for all of a size.
type codes struct {
	plans [coding.MaxVersion + 1]*coding.Plan
	made  int // on this page
}

// encode returns text as a QR code, nil if it is too long for one: about 2,950 bytes.
func (c *codes) encode(text string) *coding.Code {
	data := coding.String(text)
	for version := coding.Version(coding.MinVersion); version <= coding.MaxVersion; version++ {
		if data.Bits(version) > version.DataBytes(level)*8 {
			continue
		}
		plan := c.plan(version)
		if plan == nil {
			return nil
		}
		code, err := plan.Encode(data)
		if err != nil {
			return nil
		}
		return code
	}
	return nil
}

// plan is where the bits go in a code of that version.
func (c *codes) plan(version coding.Version) *coding.Plan {
	if c.plans[version] == nil {
		c.plans[version], _ = coding.NewPlan(version, level, mask) // fails for versions that do not exist
	}
	return c.plans[version]
}

// maxCodes is how many QR codes a page has: each takes as long as everything else about its connection ten times over.
const maxCodes = 200

// code writes the QR code of text as an image, or a sentence if there is none.
func (r *Renderer) code(w *writer, text, alt string) {
	if r.codes.made == maxCodes {
		w.raw(`<p class="hint">Too many connections for a QR code each: this one has to be copied.</p>`)
		return
	}
	code := r.codes.encode(text)
	if code == nil {
		w.raw(`<p class="hint">This link is too long for a QR code.</p>`)
		return
	}
	r.codes.made++
	w.raw(`<img class="qr" alt="`)
	w.text(alt)
	w.raw(`" src="data:image/bmp;base64,`)
	w.buf = base64.StdEncoding.AppendEncode(w.buf, bitmap(code))
	w.raw(`">`)
}

// quiet is the white border that the standard asks for, in modules.
const quiet = 4

// bitmap is the code as a BMP image of one pixel per module. It is a fifth of the size of an SVG path and needs no
// checksums, as PNG does.
func bitmap(code *coding.Code) []byte {
	const header, palette = 14 + 40, 8
	side := code.Size + 2*quiet
	stride := (side + 31) / 32 * 4 // rows are padded to 4 bytes
	image := make([]byte, header+palette+stride*side)

	little := binary.LittleEndian
	copy(image, "BM")
	little.PutUint32(image[2:], uint32(len(image)))
	little.PutUint32(image[10:], header+palette) // where the pixels begin
	little.PutUint32(image[14:], 40)             // size of what follows
	little.PutUint32(image[18:], uint32(side))   // width
	little.PutUint32(image[22:], uint32(side))   // height
	little.PutUint16(image[26:], 1)              // planes
	little.PutUint16(image[28:], 1)              // bits per pixel
	copy(image[header:], "\xff\xff\xff\x00\x00\x00\x00\x00")

	pixels := image[header+palette:]
	for y := range code.Size {
		from := code.Bitmap[y*code.Stride:][:(code.Size+7)/8]
		to := pixels[(side-1-quiet-y)*stride:] // the lowest row comes first
		for i, eight := range from {           // the border moves everything by half a byte
			to[i] |= eight >> quiet
			to[i+1] |= eight << (8 - quiet)
		}
	}
	return image
}
