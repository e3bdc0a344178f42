package core

import (
	"regexp"
	"testing"
)

func TestVersion(t *testing.T) {
	if got := Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(got) {
		t.Errorf("the core is of version %q", got)
	}
}
