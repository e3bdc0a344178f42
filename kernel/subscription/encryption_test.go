package subscription

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"encoding/base64"
	"strings"
	"testing"
)

// A client that seals with what it is told must be understood with what the server holds.
func TestClientEncryption(t *testing.T) {
	rawSeed, seed := random(t, mlkem.SeedSize)
	rawKey, key := random(t, 32)
	got, err := clientEncryption("mlkem768x25519plus.native.600s.100-111-1111.75-0-111." + seed + "." + key)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(got, ".")
	if len(parts) != 7 || strings.Join(parts[:5], ".") != "mlkem768x25519plus.native.0rtt.100-111-1111.75-0-111" {
		t.Fatalf("got %s", got)
	}

	server, err := mlkem.NewDecapsulationKey768(rawSeed)
	if err != nil {
		t.Fatal(err)
	}
	told, err := mlkem.NewEncapsulationKey768(unbase64(t, parts[5]))
	if err != nil {
		t.Fatal(err)
	}
	shared, sealed := told.Encapsulate()
	if opened, err := server.Decapsulate(sealed); err != nil || !bytes.Equal(opened, shared) {
		t.Errorf("the server does not understand the client: %v", err)
	}

	private, err := ecdh.X25519().NewPrivateKey(rawKey)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(unbase64(t, parts[6]), private.PublicKey().Bytes()) {
		t.Error("the X25519 key is not the server's")
	}
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestClientEncryptionForms(t *testing.T) {
	_, short := random(t, 31)
	for _, c := range []struct{ name, decryption, want, err string }{
		{"none", "none", "none", ""},
		{"absent", "", "", ""},
		{"too few parts", "mlkem768x25519plus.native.600s", "", "settings.decryption has 3 parts, not 4 or more"},
		{"no base64", "a.b.c." + strings.Repeat("+", 43), "", "settings.decryption: key 1 is not unpadded URL base64: "},
		{"no key", "a.b.c.1-2-3." + short, "", "settings.decryption: key 2 is not an X25519 key: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := clientEncryption(c.decryption)
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
