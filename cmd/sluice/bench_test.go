package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// BenchmarkStart is the time from starting the process to its first "ready", with no users and with 50,000 on one
// inbound, in turn. The target is 1 s with 50,000.
func BenchmarkStart(b *testing.B) {
	empty, full := b.TempDir(), b.TempDir()
	fill(b, full, 50_000)
	startOnce(b, empty) // the first start compiles the plugins and makes an admin
	startOnce(b, full)
	var none, many time.Duration
	for b.Loop() {
		none += startOnce(b, empty)
		many += startOnce(b, full)
	}
	b.ReportMetric(none.Seconds()/float64(b.N), "s/start-0")
	b.ReportMetric(many.Seconds()/float64(b.N), "s/start-50k")
	b.ReportMetric(many.Seconds()/none.Seconds(), "ratio-50k/0")
}

// fill makes a data directory with that many users.
func fill(b *testing.B, dir string, users int) {
	b.Helper()
	ctx := b.Context()
	db, err := storage.Open(ctx, storage.Options{DSN: filepath.Join(dir, "sluice.db")})
	if err != nil {
		b.Fatal(err)
	}
	err = db.Write(ctx, func(tx *storage.Tx) error {
		admin := domain.Admin{Username: "root", UsernameKey: "root", PasswordHash: "none", Sudo: true, Enabled: true}
		if err := tx.InsertAdmin(ctx, &admin); err != nil {
			return err
		}
		in := domain.Inbound{
			Tag: "in", Protocol: domain.VLESS, Listen: "127.0.0.1", Port: coretest.FreePort(b), Enabled: true,
			Settings: `{"decryption":"none"}`,
		}
		if err := tx.InsertInbound(ctx, &in); err != nil {
			return err
		}
		for i := range users {
			id, name := fmt.Sprintf("%08x-0000-4000-8000-000000000000", i), fmt.Sprintf("user%d", i)
			u := domain.User{
				Username: name, UsernameKey: name, SubID: name, Enabled: true, AdminID: admin.ID,
				Credentials: domain.Credentials{
					VLESSID: id, VMessID: id, TrojanPassword: id, ShadowsocksPassword: id, HysteriaAuth: id,
				},
			}
			if err := tx.InsertUser(ctx, &u, []int64{in.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

// startOnce starts a server, waits until it is ready, and kills it.
func startOnce(b *testing.B, dir string) time.Duration {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", coretest.FreePort(b))
	cmd := exec.Command(binary, "serve", "--data", dir, "--listen", address)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for deadline := began.Add(patience); ; {
		if word := ready(address); word == "ready\n" {
			return time.Since(began)
		} else if time.Now().After(deadline) {
			b.Fatalf("/readyz says %q", word)
		}
	}
}

// ready asks once the listener is there: until then each attempt ends at once.
func ready(address string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	_ = conn.Close()
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	word, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(word)
}
