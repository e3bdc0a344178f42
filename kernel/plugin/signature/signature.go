// Package signature says who has signed a plugin: a file carries the key and the signature in its last section, which a
// WebAssembly engine passes over.
package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Section is the name of the custom section. Its content is the public key (32 bytes) and an ed25519 signature (64) of the
// SHA-256 of everything before the section.
const Section = "sluice.signature"

const (
	header  = 8 // bytes of magic and version
	content = ed25519.PublicKeySize + ed25519.SignatureSize
)

// Sign returns wasm with a signature by key, in the place of one that it has.
func Sign(wasm []byte, key ed25519.PrivateKey) []byte {
	unsigned := wasm
	if at, _ := find(wasm); at > 0 {
		unsigned = wasm[:at]
	}
	sum := sha256.Sum256(unsigned)
	body := append([]byte{byte(len(Section))}, Section...)
	body = append(body, key.Public().(ed25519.PublicKey)...)
	body = append(body, ed25519.Sign(key, sum[:])...)
	signed := append([]byte(nil), unsigned...)
	return append(append(signed, 0, byte(len(body))), body...)
}

// Signer returns the public key (base64) that has signed wasm; ok is false when nobody has. A signature that is not
// right, or has something behind it, is an error: a sentence about the file.
func Signer(wasm []byte) (key string, ok bool, err error) {
	at, body := find(wasm)
	if at == 0 {
		return "", false, nil
	}
	if len(body) != content {
		return "", false, errors.New("it has not the size of one, or is not the end of the file")
	}
	public, signature := body[:ed25519.PublicKeySize], body[ed25519.PublicKeySize:]
	sum := sha256.Sum256(wasm[:at])
	if !ed25519.Verify(ed25519.PublicKey(public), sum[:], signature) {
		return "", false, errors.New("the file is not what was signed")
	}
	return base64.StdEncoding.EncodeToString(public), true, nil
}

// find returns where the first section of that name begins, and its content; 0 when there is none. Its content is nil
// unless it is the last section. Files that are no modules have none: others say what is wrong with them.
func find(wasm []byte) (at int, body []byte) {
	for at = header; at < len(wasm); {
		size, n := binary.Uvarint(wasm[at+1:])
		if n <= 0 || size > uint64(len(wasm)-at-1-n) {
			return 0, nil
		}
		begin := at + 1 + n
		end := begin + int(size)
		if named := wasm[begin:end]; wasm[at] == 0 && len(named) > len(Section) &&
			int(named[0]) == len(Section) && string(named[1:1+len(Section)]) == Section {
			if end < len(wasm) {
				return at, nil
			}
			return at, named[1+len(Section):]
		}
		at = end
	}
	return 0, nil
}
