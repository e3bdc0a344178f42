package subscription

import (
	"crypto/mlkem"
	"encoding/base64"
	"fmt"
	"strings"
)

// clientEncryption is what a client must be told of an inbound's vless encryption: "none" or "" stay, else the public
// halves of the keys in decryption. The form is
//
//	mlkem768x25519plus.<mode>.<seconds>s[.<padding>...].<key>[.<key>...]
//
// in which a key is an X25519 private key (32 bytes) or an ML-KEM-768 seed (64 bytes) in unpadded URL base64; the
// client has 0rtt for the time and public keys.
func clientEncryption(decryption string) (string, error) {
	if decryption == "" || decryption == "none" {
		return decryption, nil
	}
	parts := strings.Split(decryption, ".")
	if len(parts) < 4 {
		return "", fmt.Errorf("settings.decryption has %d parts, not 4 or more", len(parts))
	}
	parts[2] = "0rtt"
	for i := 3; i < len(parts); i++ {
		if len(parts[i]) < 20 { // padding, not a key
			continue
		}
		public, err := publicHalf(parts[i])
		if err != nil {
			return "", fmt.Errorf("settings.decryption: key %d %w", i-2, err)
		}
		parts[i] = public
	}
	return strings.Join(parts, "."), nil
}

func publicHalf(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return "", fmt.Errorf("is not unpadded URL base64: %w", err)
	}
	if len(raw) != mlkem.SeedSize {
		return x25519Public(private)
	}
	key, err := mlkem.NewDecapsulationKey768(raw)
	if err != nil {
		return "", fmt.Errorf("is not an ML-KEM-768 seed: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.EncapsulationKey().Bytes()), nil
}
