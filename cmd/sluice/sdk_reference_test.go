package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// sdkFile is the text of a file of the SDK.
func sdkFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "sdk", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// firstCells returns what stands between backquotes in the first cell of each row of the table below a heading.
func firstCells(t *testing.T, readme, heading string) (names []string) {
	t.Helper()
	_, section, ok := strings.Cut(readme, "\n## "+heading+"\n")
	_, table, found := strings.Cut(section, "\n|---|")
	if !ok || !found {
		t.Fatalf("there is no table below %q", heading)
	}
	for _, row := range strings.Split(table, "\n")[1:] {
		if !strings.HasPrefix(row, "| ") {
			break
		}
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(strings.Split(row, " | ")[0], -1) {
			names = append(names, name[1])
		}
	}
	return names
}

// TestSDKReferenceTables holds the lists of the SDK's README to what there is.
func TestSDKReferenceTables(t *testing.T) {
	readme := sdkFile(t, "README.md")
	var types []string
	for _, known := range domain.EventTypes {
		types = append(types, known.Type)
	}
	if got := firstCells(t, readme, "Events"); !slices.Equal(got, types) {
		t.Errorf("it has the events\n%q\nwant\n%q", got, types)
	}
	shown := firstCells(t, readme, "Messages")
	_, messages, _ := strings.Cut(readme, "\n## Messages\n")
	for _, m := range regexp.MustCompile(`(?m)^message (\w+) `).FindAllStringSubmatch(sdkFile(t, "wire/plugin.proto"), -1) {
		if !slices.Contains(shown, m[1]) && !strings.Contains(messages, "`"+m[1]+"`") {
			t.Errorf("it does not name the message %s", m[1])
		}
	}
}

// TestSDKReferenceNumbers holds the numbers of the SDK's README to those of the ABI.
func TestSDKReferenceNumbers(t *testing.T) {
	readme := sdkFile(t, "README.md")
	for _, row := range []string{
		fmt.Sprintf("this is %d.%d: `%#08x`", wire.Major, wire.Minor, wire.Version),
		fmt.Sprintf("| %d | %s | `UsernameRequest`, `UsernameReply` | %d ms |", wire.OpUsername, wire.OpUsername, wire.UsernameDeadline),
		fmt.Sprintf("| %d | %s | `PeriodRequest`, `PeriodReply` | %d ms |", wire.OpPeriod, wire.OpPeriod, wire.PeriodDeadline),
		fmt.Sprintf("| %d | %s | `FormatRequest`, `FormatReply` | %d ms |", wire.OpFormat, wire.OpFormat, wire.FormatDeadline),
		fmt.Sprintf("| %d | %s | `EventRequest`, `EventReply` | %d s,", wire.OpEvent, wire.OpEvent, wire.EventDeadline/1000),
		fmt.Sprintf("| %d | %s | `ConfigureRequest`, `ConfigureReply` | %d ms;", wire.OpConfigure, wire.OpConfigure, wire.ConfigureDeadline),
		fmt.Sprintf("| %d | %s | `PrepareRequest`, `PrepareReply` | %d ms;", wire.OpPrepare, wire.OpPrepare, wire.PrepareDeadline),
		fmt.Sprintf("answers code %d, and the host sends the set again. The SDK keeps %d sets", wire.CodeNotPrepared, wire.MaxPreparedSets),
		fmt.Sprintf("1,000 keys of 1 to 256 bytes, values of %d KiB, %d MiB together; 1,000 calls for one event, %d s for each, %d s for all",
			domain.MaxKVValue>>10, domain.MaxKVTotal>>20, wire.KVDeadline/1000, wire.KVTotal/1000),
		fmt.Sprintf("%d calls for one event, %d s for each with its redirects", wire.MaxHTTPCalls, wire.HTTPDeadline/1000),
		fmt.Sprintf("to granted hosts), %d s for all", wire.HTTPTotal/1000),
		fmt.Sprintf("| file | %d MiB |", wire.MaxFile>>20),
		fmt.Sprintf("| memory of an instance | %d MiB;", wire.MaxMemory>>20),
		fmt.Sprintf("| request, reply | %d MiB |", wire.MaxReply>>20),
		fmt.Sprintf("| manifest | %d KiB |", wire.MaxManifest>>10),
		fmt.Sprintf("| start (`_initialize`, `sluice_abi`, `sluice_manifest`) | %d s |", wire.InitDeadline/1000),
		fmt.Sprintf("| names in a reply | %d,000 |", wire.MaxNames/1000),
		fmt.Sprintf("| headers in a reply | %d |", wire.MaxHeaders),
		fmt.Sprintf("| log line | %d KiB;", wire.MaxLogLine>>10),
		fmt.Sprintf("| %d invalid |", wire.CodeInvalid), fmt.Sprintf("| %d unimplemented |", wire.CodeUnimplemented),
		fmt.Sprintf("| %d internal |", wire.CodeInternal), fmt.Sprintf("| %d retry |", wire.CodeRetry),
		fmt.Sprintf("| %d not prepared |", wire.CodeNotPrepared),
	} {
		if !strings.Contains(readme, row) {
			t.Errorf("it does not say %q", row)
		}
	}
}
