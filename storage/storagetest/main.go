package storagetest

import "testing"

// stop ends what the servers started. The integration build sets it.
var stop = func() {}

// Main runs the tests of a package and then stops the database server that they started. A package whose tests use
// Each has this TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }
func Main(m *testing.M) int {
	defer func() { stop() }()
	return m.Run()
}
