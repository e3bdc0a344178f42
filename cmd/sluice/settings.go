package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// prefix is that of every environment variable, such as SLUICE_METRICS_LISTEN for --metrics-listen.
const prefix = "SLUICE_"

// settings are flags that were not given on the command line, from one koanf tree.
type settings struct{ k *koanf.Koanf }

var _ kong.Resolver = settings{}

// environment returns the settings in the environment.
func environment() settings {
	k := koanf.New(".")
	overlay(k)
	return settings{k}
}

// overlay puts the environment over what k holds. An empty variable is one that is not set.
func overlay(k *koanf.Koanf) {
	_ = k.Load(env.Provider(".", env.Opt{Prefix: prefix, TransformFunc: func(name, value string) (string, any) {
		if value == "" {
			return "", nil
		}
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, prefix)), "_", "-"), value
	}}), nil) // reading the environment can not fail
}

// settingsFile reads the settings of a YAML file, with the environment over them: kong asks the file last.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider(text), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("read configuration file: %w", err)
	}
	keys := k.Keys()
	overlay(k)
	return fileSettings{settings{k}, keys}, nil
}

// Validate accepts every environment: other programs may use the prefix.
func (settings) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag, nil when it is not set here.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !s.k.Exists(flag.Name) {
		return nil, nil
	}
	return s.k.Get(flag.Name), nil
}

// fileSettings are settings of a file, with the keys that stand in it.
type fileSettings struct {
	settings
	keys []string
}

// Validate refuses keys that are no flag of any command: they would be settings that do nothing.
func (s fileSettings) Validate(app *kong.Application) error {
	flags := map[string]bool{}
	_ = kong.Visit(app, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			flags[f.Name] = true
		}
		return next(nil)
	})
	var errs []error
	for _, key := range s.keys {
		if !flags[key] {
			errs = append(errs, fmt.Errorf("the configuration file sets %q, which is no flag", key))
		}
	}
	return errors.Join(errs...)
}
