// Command sluice runs an xray-core service in one process: proxy, users, APIs and plugins.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the whole command line. Every flag of it can also be set as SLUICE_<NAME> in the environment, or in the file
// that --config names; the command line wins, then the environment.
type cli struct {
	Config kong.ConfigFlag `help:"YAML file with flags as keys, such as 'listen: 127.0.0.1:8080'." placeholder:"FILE" env:"SLUICE_CONFIG"`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Token   tokenCmd   `cmd:"" help:"Make, list and revoke API tokens."`
	Admin   adminCmd   `cmd:"" help:"Make operators and set their passwords."`
	Core    coreCmd    `cmd:"" help:"Read and replace the base configuration of the proxy core."`
	Plugin  pluginCmd  `cmd:"" help:"Begin, check, measure, run and sign plugins."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// streams are what a command reads and writes, so that tests can give it others.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run executes one command line and returns its exit code: 0 done, 1 it failed, 2 it was not understood.
func run(ctx context.Context, args []string, s streams) int {
	code := -1
	parser, err := kong.New(&cli{}, kong.Name("sluice"),
		kong.Description("Sluice is one binary that runs an xray-core service: users with quotas, two HTTP APIs, plugins."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(s.out, s.err), kong.Exit(func(c int) { code = c }),
		kong.Configuration(settingsFile), kong.Resolvers(environment()),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(s.err, "sluice:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if code >= 0 { // --help
		return code
	}
	if err != nil {
		fmt.Fprintln(s.err, "sluice:", err)
		return 2
	}
	if err := command.Run(); err != nil {
		fmt.Fprintln(s.err, "sluice:", err)
		return 1
	}
	return 0
}
