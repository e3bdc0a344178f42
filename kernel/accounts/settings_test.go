package accounts_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestChangeSettings(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("a", 63) + ".example"
	hosts := []string{"example.com", "xn--e1afmkfd.example", "203.0.113.7", "2001:db8::1", "localhost", "_srv.example", long}
	want := domain.Settings{
		PublicHosts: hosts, PublicURL: "https://example.com:8443/path",
		TimeZone: "America/Argentina/Buenos_Aires", FlushSeconds: 60, IPGraceSeconds: 3600, AutoDeleteLimited: true,
		ExpireDiffDays: 365, TrafficDiffGB: 1_000_000,
		ProfileTitle: "✅ {USERNAME} {DATA_LEFT}", SupportURL: "tg://resolve?domain=help", UpdateHours: 168,
		Announcement: strings.Repeat("é", 200), StatusEntry: true,
		AgentRules: []domain.AgentRule{{Agent: "app", Format: "links"}, {Agent: "/^b$/", Format: "tomorrow"}},
	}
	got, err := b.ChangeSettings(t.Context(), func(s *domain.Settings) { *s = want })
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("set %+v, %v", got, err)
	}
	want.PublicURL = ""
	if _, err := b.ChangeSettings(t.Context(), func(s *domain.Settings) { s.PublicURL = "" }); err != nil {
		t.Fatal(err)
	}
	if got, err := b.CurrentSettings(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	b.core.wantTold(t, "reload", "reload")
	if len(b.told) != 2 || b.told[0].PublicURL == "" || !reflect.DeepEqual(b.told[1], want) {
		t.Errorf("told of the settings %+v", b.told)
	}
}

func TestChangeSettingsOfLifeRefuses(t *testing.T) {
	b := newBench(t)
	const zone = "time_zone is not an IANA time zone such as Europe/Berlin: "
	for _, c := range []struct {
		name   string
		change func(*domain.Settings)
		field  string
		want   string
	}{
		{"unknown zone", func(s *domain.Settings) { s.TimeZone = "Mars/Phobos" }, "time_zone", zone + `"Mars/Phobos"`},
		{"the machine's zone", func(s *domain.Settings) { s.TimeZone = "Local" }, "time_zone", zone + `"Local"`},
		{"a path", func(s *domain.Settings) { s.TimeZone = "../../etc/passwd" }, "time_zone", zone + `"../../etc/passwd"`},
		{"flushes too rare", func(s *domain.Settings) { s.FlushSeconds = 61 }, "flush_seconds", "flush_seconds must be between 1 and 60, or 0 for the default"},
		{"negative flushes", func(s *domain.Settings) { s.FlushSeconds = -1 }, "flush_seconds", "flush_seconds must be between 1 and 60, or 0 for the default"},
		{"long grace", func(s *domain.Settings) { s.IPGraceSeconds = 3601 }, "ip_grace_seconds", "ip_grace_seconds must be between 1 and 3600, or 0 for the default"},
		{"negative grace", func(s *domain.Settings) { s.IPGraceSeconds = -1 }, "ip_grace_seconds", "ip_grace_seconds must be between 1 and 3600, or 0 for the default"},
		{"expiring too early", func(s *domain.Settings) { s.ExpireDiffDays = 366 }, "expire_diff_days", "expire_diff_days must be between 1 and 365, or 0 for the default"},
		{"expiring after the expiry", func(s *domain.Settings) { s.ExpireDiffDays = -1 }, "expire_diff_days", "expire_diff_days must be between 1 and 365, or 0 for the default"},
		{"a petabyte left", func(s *domain.Settings) { s.TrafficDiffGB = 1_000_001 }, "traffic_diff_gb", "traffic_diff_gb must be between 1 and 1000000, or 0 for the default"},
		{"less than nothing left", func(s *domain.Settings) { s.TrafficDiffGB = -1 }, "traffic_diff_gb", "traffic_diff_gb must be between 1 and 1000000, or 0 for the default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error {
				_, err := b.ChangeSettings(ctx, c.change)
				return err
			})
			if len(b.told) > 0 {
				t.Errorf("told of the settings %+v", b.told)
			}
		})
	}
}

func TestChangeSettingsOfProfilesRefuses(t *testing.T) {
	b := newBench(t)
	const support = "support_url must be like https://example.com/help, tg://resolve?domain=name or mailto:name@example.com"
	to := func(url string) func(*domain.Settings) {
		return func(s *domain.Settings) { s.SupportURL = url }
	}
	for _, c := range []struct {
		name   string
		change func(*domain.Settings)
		field  string
		want   string
	}{
		{"long title", func(s *domain.Settings) { s.ProfileTitle = strings.Repeat("é", 101) }, "profile_title", "profile_title is longer than 100 characters"},
		{"title of two lines", func(s *domain.Settings) { s.ProfileTitle = "a\nb" }, "profile_title", "profile_title can not have control characters"},
		{"title that is no text", func(s *domain.Settings) { s.ProfileTitle = "\xff" }, "profile_title", "profile_title can not have control characters"},
		{"title with a typo", func(s *domain.Settings) { s.ProfileTitle = "{USERNAME} {DATA}" }, "profile_title", "profile_title has an unknown variable: {DATA}"},
		{"long announcement", func(s *domain.Settings) { s.Announcement = strings.Repeat("a", 201) }, "announcement", "announcement is longer than 200 characters"},
		{"announcement with NUL", func(s *domain.Settings) { s.Announcement = "\x00" }, "announcement", "announcement can not have control characters"},
		{"a script", to("javascript:alert(1)"), "support_url", support},
		{"data", to("data:text/html,a"), "support_url", support},
		{"no scheme", to("example.com"), "support_url", support},
		{"no host", to("https:///help"), "support_url", support},
		{"a password", to("https://a:b@example.com"), "support_url", support},
		{"a file", to("file:///etc/passwd"), "support_url", support},
		{"nobody", to("mailto:"), "support_url", support},
		{"no chat", to("tg:"), "support_url", support},
		{"two lines", to("https://example.com/\r\nset-cookie: a"), "support_url", support},
		{"letters that a header does not take", to("https://example.com/é"), "support_url", support},
		{"a long URL", to("https://example.com/" + strings.Repeat("a", 500)), "support_url", support},
		{"too often", func(s *domain.Settings) { s.UpdateHours = -1 }, "update_hours", "update_hours must be between 1 and 168, or 0 for the default"},
		{"too rarely", func(s *domain.Settings) { s.UpdateHours = 169 }, "update_hours", "update_hours must be between 1 and 168, or 0 for the default"},
		{
			"a bad rule",
			func(s *domain.Settings) {
				s.AgentRules = []domain.AgentRule{{Agent: "a", Format: "b"}, {Agent: "/(/", Format: "b"}}
			},
			"user_agent_rules[1].agent", `user_agent_rules[1].agent is not a regular expression of RE2: "/(/"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error {
				_, err := b.ChangeSettings(ctx, c.change)
				return err
			})
		})
	}
	for _, good := range []string{"", "http://example.com", "https://t.me/help", "mailto:help@example.com?subject=a", "tg://resolve?domain=help"} {
		if _, err := b.ChangeSettings(t.Context(), to(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestChangeSettingsRefuses(t *testing.T) {
	b := newBench(t)
	const badURL = "public_url must be like https://example.com or https://example.com/path"
	badHost := func(shown string) string { return "public_hosts[1] is not a host name or an IP address: " + shown }
	for _, c := range []struct{ name, host, url, want string }{
		{"empty host", "", "", badHost(`""`)},
		{"host with a port", "example.com:443", "", badHost(`"example.com:443"`)},
		{"host in brackets", "[::1]", "", badHost(`"[::1]"`)},
		{"host with a zone", "fe80::1%eth0", "", badHost(`"fe80::1%eth0"`)},
		{"host with a space", "exa mple.com", "", badHost(`"exa mple.com"`)},
		{"host that is a URL", "https://example.com", "", badHost(`"https://example.com"`)},
		{"host with an empty label", "example..com", "", badHost(`"example..com"`)},
		{"host that ends in a dot", "example.com.", "", badHost(`"example.com."`)},
		{"host that begins with a hyphen", "-example.com", "", badHost(`"-example.com"`)},
		{"mistyped address", "203.0.113.777", "", badHost(`"203.0.113.777"`)},
		{"label of 64", strings.Repeat("a", 64), "", badHost(`"` + strings.Repeat("a", 64) + `"`)},
		{"NUL", "a\x00", "", badHost(`"a\x00"`)},
		{"URL without a scheme", "a", "example.com", badURL},
		{"URL of another scheme", "a", "ftp://example.com", badURL},
		{"URL without a host", "a", "https://", badURL},
		{"URL with a query", "a", "https://example.com?a=b", badURL},
		{"URL with a fragment", "a", "https://example.com#a", badURL},
		{"URL with a password", "a", "https://user:secret@example.com", badURL},
		{"URL with a blank", "a", "https://example.com/a b", badURL},
		{"URL with quotes", "a", `https://example.com/"'><`, badURL},
		{"no URL", "a", "https://exa mple.com", badURL},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			field := "public_hosts[1]"
			if c.url != "" {
				field = "public_url"
			}
			b.refused(domain.CodeInvalid, field, c.want, func(ctx context.Context) error {
				_, err := b.ChangeSettings(ctx, func(s *domain.Settings) {
					s.PublicHosts, s.PublicURL = []string{"example.com", c.host}, c.url
				})
				return err
			})
		})
	}
}
