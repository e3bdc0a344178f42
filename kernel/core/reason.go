package core

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"github.com/sluicehq/sluice/kernel/domain"
)

// origin is the package path that the core puts in front of every link of an error, and the marks of severity.
var origin = regexp.MustCompile(`(^|[\s>])(\[[^\]]*\] )?((app|common|core|features|infra|proxy|transport)(/[\w.-]+)*: )`)

// secretValue is the value behind the name of a secret in an error of the core.
var secretValue = regexp.MustCompile(`("(?:privateKey|mldsa65Seed|password|key)": ?).*`)

// missingFile is where the core looked for a geo file that it has named before.
var missingFile = regexp.MustCompile(` > stat \S+: no such file or directory`)

// reason turns an error of the core into half a sentence: without its package names, paths, line breaks and secrets.
func reason(err error) string {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = origin.ReplaceAllString(text, "$1")
	text = missingFile.ReplaceAllString(text, "")
	text = strings.NewReplacer(". > ", ": ", " > ", ": ").Replace(text)
	text = secretValue.ReplaceAllString(text, "${1}…")
	return strings.TrimRight(strings.TrimSpace(text), ".")
}

// listenError says why an inbound could not be opened.
func listenError(in *domain.Inbound, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return domain.Conflict("port", fmt.Sprintf("%d is in use by another program", in.Port)).Because(err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return domain.Invalid("port", fmt.Sprintf("%d is not open to this process", in.Port)).Because(err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return domain.Invalid("listen", in.Listen+" is not an address of this machine").Because(err)
	}
	return domain.Invalid("", "inbound "+in.Tag+" can not be opened: "+reason(err)).Because(err)
}
