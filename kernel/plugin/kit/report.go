package kit

// Verdict is how a check ended.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "PASS"
	Fail Verdict = "FAIL" // the plugin breaks a rule of the ABI or of its kind: it will fail its users
	Warn Verdict = "WARN" // it works, but an operator or a user will not be glad of it
)

// Finding is one rule with what became of it.
type Finding struct {
	Item    string  `json:"item,omitempty"`   // kind and id, such as "period fortnight"; "" = the plugin as a whole
	Rule    string  `json:"rule"`             // what is required, such as "the next boundary is in the future"
	Verdict Verdict `json:"verdict"`          //
	Reason  string  `json:"reason,omitempty"` // one sentence: why, or what was measured; "" when there is nothing to say
}

// Report is what Check found, in the order in which it looked.
type Report struct {
	File     string    `json:"file"`
	Name     string    `json:"name"`    // from the manifest, "" when it could not be read
	Version  string    `json:"version"` // from the manifest
	SHA256   string    `json:"sha256"`  // lower-case hex
	Size     int       `json:"size"`    // bytes
	OK       bool      `json:"ok"`      // nothing failed
	Findings []Finding `json:"findings"`
}

// Count returns how many rules ended with a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}
