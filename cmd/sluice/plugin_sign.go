package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/sluicehq/sluice/kernel/plugin/signature"
)

// keyType is the PEM type of a PKCS #8 key.
const keyType = "PRIVATE KEY"

type pluginKeygenCmd struct {
	File string `arg:"" help:"Where to write the private key (ed25519, PEM); it must not exist."`
}

// Run writes the key and prints its public part, which is how an operator sees the signer.
func (c *pluginKeygenCmd) Run(s streams) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: keyType, Bytes: der}), f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = fmt.Fprintln(s.out, base64.StdEncoding.EncodeToString(public))
	return err
}

type pluginSignCmd struct {
	pluginFile
	Key string `help:"Private key that 'sluice plugin keygen' has made." required:"" placeholder:"FILE"`
}

// Run puts the signature into the file and prints the signer. A file that is signed already is signed anew.
func (c *pluginSignCmd) Run(s streams) error {
	key, err := readKey(c.Key)
	if err != nil {
		return err
	}
	wasm, name, err := c.read()
	if err != nil {
		return err
	}
	signed := signature.Sign(wasm, key)
	signer, ok, err := signature.Signer(signed)
	if err != nil || !ok {
		return fmt.Errorf("%s can not be signed: it is not a WebAssembly module", name)
	}
	if err := replaceFile(c.File, signed); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, signer)
	return err
}

func readKey(file string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != keyType {
		return nil, fmt.Errorf("%s is not a PEM file with a %s", file, keyType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an ed25519 key", file)
	}
	return key, nil
}

// replaceFile puts content in the place of a file in one step: a server may be watching it.
func replaceFile(file string, content []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	next := file + ".new"
	if err := os.WriteFile(next, content, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(next, file)
}
