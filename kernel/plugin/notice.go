package plugin

// What a Notice can be about. The names are those of events.
const (
	NoticeLoaded      = "plugin.loaded"       // a file serves from now on
	NoticeRefused     = "plugin.refused"      // a file can not be used; one that served before goes on
	NoticeRemoved     = "plugin.removed"      // the file is gone
	NoticeSwitchedOff = "plugin.switched_off" // it kept failing and is not called for a while
	NoticeRecovered   = "plugin.recovered"    // it was switched off and serves again
)

// Notice is something that has become of a plugin.
type Notice struct {
	Type    string // one of the Notice constants
	Plugin  string // its name, "" when the manifest could not be read
	Version string
	File    string // "" = the built-in bundle
	SHA256  string // of the file, lower-case hex
	Reason  string // of refused and switched off: one sentence; else ""
}

// tell passes a notice on. The caller holds no lock.
func (h *Host) tell(n Notice) {
	if h.o.OnNotice != nil {
		h.o.OnNotice(n)
	}
}

// notice is one about this plugin.
func (p *plugin) notice(what, reason string) Notice {
	return Notice{Type: what, Plugin: p.name, Version: p.version, File: p.file, SHA256: p.sha256, Reason: reason}
}
