package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/sluicehq/sluice/httpapi/control"
)

type coreCmd struct {
	Get coreGetCmd `cmd:"" help:"Print the base configuration: dns, routing, outbounds and policy of xray-core."`
	Set coreSetCmd `cmd:"" help:"Replace it; every connection of a running server is cut."`
}

type coreGetCmd struct{ dataFlags }

// Run prints the document, indented.
func (c *coreGetCmd) Run(ctx context.Context, s streams) error {
	return c.do(ctx, func(client *control.Client) error {
		config, err := client.CoreConfig(ctx)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, config, "", "  "); err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, out.String())
		return err
	})
}

type coreSetCmd struct {
	dataFlags
	File string `arg:"" optional:"" default:"-" help:"JSON file, - = standard input."`
}

// Run stores the document, which the core has built before.
func (c *coreSetCmd) Run(ctx context.Context, s streams) error {
	config, err := c.read(s.in)
	if err != nil {
		return fmt.Errorf("read core configuration: %w", err)
	}
	return c.do(ctx, func(client *control.Client) error { return client.SetCoreConfig(ctx, config) })
}

func (c *coreSetCmd) read(in io.Reader) ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(c.File)
}
