package subscription

import (
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// BenchmarkSubscription is a fetch of five inbounds among so many users: rendered from the database, and kept. The second
// must not depend on how many there are.
func BenchmarkSubscription(b *testing.B) {
	const fetched = 1000
	for _, users := range []int64{fetched, 100_000} {
		s := newBench(b)
		var inbounds []int64
		for i := range 5 {
			inbounds = append(inbounds, s.inbound(func(in *domain.Inbound) {
				in.Remark, in.Port = fmt.Sprintf("in%d", i), 1000+i
				in.StreamSettings = `{"network":"ws","security":"tls","tlsSettings":{"serverName":"own.example"},"wsSettings":{"path":"/ws"}}`
			}))
		}
		s.reload()
		all, list := directory.New(), []domain.User{}
		for id := range users {
			uuid := fmt.Sprintf("b831381d-6324-4d53-ad4f-%012x", id)
			list = append(list, domain.User{
				Username: fmt.Sprintf("user%d", id), SubID: fmt.Sprintf("sub-user%d", id), Enabled: true, AdminID: s.admin,
				Credentials: domain.Credentials{VLESSID: uuid, VMessID: uuid, TrojanPassword: uuid, ShadowsocksPassword: uuid, HysteriaAuth: uuid},
			})
		}
		s.write(func(tx *storage.Tx) error {
			for i := range list[:fetched] {
				if err := tx.InsertUser(b.Context(), &list[i], inbounds); err != nil {
					return err
				}
			}
			return nil
		})
		for i := range list {
			list[i].ID = int64(i + 1) // as the database has given them
			all.Put(domain.Account{User: list[i], Inbounds: inbounds})
		}
		s.Directory = all
		fetch := func(b *testing.B, i int) {
			r := Request{Host: "localhost", UserAgent: "v2rayNG/1.10.26"}
			if _, err := s.Subscription(b.Context(), fmt.Sprintf("sub-user%d", i%fetched), r); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("cold/%d", users), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				s.PluginsChanged()
				fetch(b, i)
			}
		})
		b.Run(fmt.Sprintf("kept/%d", users), func(b *testing.B) {
			for i := range fetched {
				fetch(b, i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				fetch(b, i)
			}
		})
	}
}

// BenchmarkHosts compares what hosts cost a fetch of five inbounds, from the database to the body: with hosts that
// are the same for everybody, with addresses of each user's own, and with paths and SNIs of its own, whose
// streamSettings are written anew.
func BenchmarkHosts(b *testing.B) {
	for _, c := range []struct {
		name string
		host *domain.Host
	}{
		{"no hosts", nil},
		{"hosts", &domain.Host{Remark: "{USERNAME} {DATA_LEFT} {DAYS_LEFT}", Addresses: []string{"front.example"}, SNI: []string{"sni.example"}}},
		{"own addresses", &domain.Host{Remark: "{USERNAME}", Addresses: []string{"{USERNAME}.example", "*.example"}}},
		{"own paths", &domain.Host{Remark: "{USERNAME}", Path: "/{USERNAME}", SNI: []string{"a.example", "*.example"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newBench(b)
			var ids []int64
			for i := range 5 {
				id := s.inbound(func(in *domain.Inbound) {
					in.Remark, in.Port = fmt.Sprintf("in%d", i), 1000+i
					in.StreamSettings = `{"network":"ws","security":"tls","tlsSettings":{"serverName":"own.example","alpn":["h2"]},"wsSettings":{"path":"/ws"}}`
				})
				ids = append(ids, id)
				if c.host != nil {
					s.front(id, func(h *domain.Host) { *h = *c.host; h.InboundID = id })
				}
			}
			s.user("alice", ids...)
			s.reload()
			for b.Loop() {
				if _, err := s.Subscription(b.Context(), "sub-alice", Request{Host: "localhost", Format: "links"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReload is what every change of inbounds, hosts and settings costs: a thousand hosts of ten inbounds.
func BenchmarkReload(b *testing.B) {
	s := newBench(b)
	s.write(func(tx *storage.Tx) error {
		for i := range 10 {
			in := domain.Inbound{Protocol: domain.VLESS, Port: 1000 + i, Tag: fmt.Sprint(i), Enabled: true, StreamSettings: `{"network":"ws"}`}
			if err := tx.InsertInbound(b.Context(), &in); err != nil {
				return err
			}
			for range 100 {
				if err := tx.InsertHost(b.Context(), &domain.Host{InboundID: in.ID, Remark: "{USERNAME}", Path: "/a"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for b.Loop() {
		s.reload()
	}
}
