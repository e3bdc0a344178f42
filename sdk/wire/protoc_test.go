//go:build integration

package wire_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// TestProtoc compiles the published schema with protoc, from which authors make code for their language.
func TestProtoc(t *testing.T) {
	out := filepath.Join(t.TempDir(), "descriptors")
	if text, err := exec.Command("protoc", "--descriptor_set_out="+out, "plugin.proto").CombinedOutput(); err != nil || len(text) > 0 {
		t.Fatalf("%v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	file := set.GetFile()[0]
	if file.GetPackage() != "sluice.plugin.v1" || len(file.GetMessageType()) != 28 {
		t.Errorf("package %s with %d messages", file.GetPackage(), len(file.GetMessageType()))
	}
}
