package xui

import (
	"context"
	"strings"
	"time"
)

func (r routes) online() {
	handle(r, post("/clients/onlines", "Clients with an open connection", clientsTag), r.onlines)
	handle(r, post("/clients/onlinesByGuid", "Clients with an open connection, by node", clientsTag), r.onlinesByNode)
	handle(r, post("/clients/activeInbounds", "Inbounds with an open connection, by node", clientsTag), r.activeInbounds)
	handle(r, post("/clients/lastOnline", "When each client was online last", clientsTag), r.lastOnline)
	handle(r, post("/clients/ips/{email}", "Addresses of a client", clientsTag), r.clientIPs)
	handle(r, post("/clients/clientIpsByGuid", "Addresses of the clients within a day, by node", clientsTag), r.clientIPsByNode)
	handle(r, post("/clients/clearIps/{email}", "Forget the addresses of a client", clientsTag), r.clearIPs)
}

// Reads says whether the route of a path changes nothing although 3x-ui made it a POST: a readonly token may use it.
func Reads(path string) bool {
	route, known := strings.CutPrefix(path, Prefix+"/clients/")
	name, rest, deeper := strings.Cut(route, "/")
	switch name {
	case "onlines", "onlinesByGuid", "activeInbounds", "lastOnline", "clientIpsByGuid":
		return known && !deeper // not onlines/attach, which changes a client of that name
	case "ips":
		return known && rest != "" && !strings.Contains(rest, "/")
	}
	return false
}

func (r routes) onlines(context.Context, *struct{}) ([]string, string, error) {
	return r.onlineNames(), "", nil
}

func (r routes) onlineNames() []string {
	online := r.Accounts.Online()
	names := make([]string, len(online))
	for i, o := range online {
		names[i] = o.Username
	}
	return names
}

// byNode is a list of each node that has one, by the node's GUID.
func byNode(node string, list []string) map[string][]string {
	if len(list) == 0 {
		return map[string][]string{}
	}
	return map[string][]string{node: list}
}

func (r routes) onlinesByNode(context.Context, *struct{}) (map[string][]string, string, error) {
	return byNode(r.Accounts.Node, r.onlineNames()), "", nil
}

func (r routes) activeInbounds(ctx context.Context, _ *struct{}) (map[string][]string, string, error) {
	tags, err := r.Accounts.ActiveInbounds(ctx)
	return byNode(r.Accounts.Node, tags), "", err
}

func (r routes) lastOnline(context.Context, *struct{}) (map[string]int64, string, error) {
	last := map[string]int64{}
	r.Accounts.LastOnline(func(name string, at int64) bool {
		last[name] = at
		return true
	})
	return last, "", nil
}

// clientIP is an address that a client came from.
type clientIP struct {
	IP   string `json:"ip"`
	Time string `json:"time" doc:"of the last connection, as 2006-01-02 15:04:05 in the server's time zone"`
	Node string `json:"node" doc:"GUID of the node that saw it"`
}

func (r routes) clientIPs(ctx context.Context, in *EmailPath) ([]clientIP, string, error) {
	seen, err := r.Accounts.IPs(ctx, in.Email)
	if err != nil {
		return nil, "", err
	}
	settings, err := r.Accounts.CurrentSettings(ctx)
	if err != nil {
		return nil, "", err
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		return nil, "", err
	}
	list := make([]clientIP, len(seen))
	for i, s := range seen {
		list[i] = clientIP{IP: s.IP, Time: time.UnixMilli(s.SeenAt).In(zone).Format(time.DateTime), Node: s.Node}
	}
	return list, "", nil
}

// nodeIP is an address of a client on one node.
type nodeIP struct {
	IP        string `json:"ip"`
	Timestamp int64  `json:"timestamp" doc:"of the last connection, seconds since the epoch"`
}

// recently is how long ago an address of clientIpsByGuid was seen at most.
const recently = 24 * time.Hour

func (r routes) clientIPsByNode(ctx context.Context, _ *struct{}) (map[string]map[string][]nodeIP, string, error) {
	nodes, err := r.Accounts.RecentIPs(ctx, r.Accounts.Clock.Now().Add(-recently).UnixMilli())
	if err != nil {
		return nil, "", err
	}
	out := map[string]map[string][]nodeIP{}
	for node, names := range nodes {
		out[node] = map[string][]nodeIP{}
		for name, seen := range names {
			for _, s := range seen {
				out[node][name] = append(out[node][name], nodeIP{s.IP, s.SeenAt / 1000})
			}
		}
	}
	return out, "", nil
}

func (r routes) clearIPs(ctx context.Context, in *EmailPath) (none, string, error) {
	return none{}, "", r.Accounts.ClearIPs(ctx, in.Email)
}
