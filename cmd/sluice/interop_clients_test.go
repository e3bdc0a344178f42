//go:build interop

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// clientPath is a program that `make clients` has built.
func clientPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", ".tools", "clients", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run this by `make interop`, which builds the clients", err)
	}
	return path
}

// clientCommand is a command that trusts the server's certificate and nothing else, and that stays in dir.
func (i *interop) clientCommand(t *testing.T, dir, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(clientPath(t, program), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+i.cert.CertFile, "SSL_CERT_DIR="+dir, "HOME="+dir)
	return cmd
}

// check runs a client's own check of a document, which must pass.
func (i *interop) check(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	if out, err := i.clientCommand(t, dir, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

// run starts a client that is killed when the test ends, and waits until it offers the proxies.
func (i *interop) run(t *testing.T, offered proxies, dir, program string, args ...string) {
	t.Helper()
	cmd, out := i.clientCommand(t, dir, program, args...), &printed{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed at the end of the test
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", program, out)
		}
	})
	for _, addr := range offered {
		coretest.Eventually(t, program+" listens", func() bool {
			select {
			case <-ended:
				t.Fatalf("%s ended at once:\n%s", program, out)
			default:
			}
			return coretest.Reachable(addr)
		})
	}
}

// printed keeps what a client prints.
type printed struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// users are those whose documents a client gets, one process for each.
var users = []string{plain, vision}

// singBox runs the sing-box documents. Only the inbounds are changed: one local port for each outbound.
func singBox(t *testing.T, i *interop) proxies {
	offered := proxies{}
	for _, user := range users {
		document, dir := i.document(user, "sing-box"), t.TempDir()
		file := filepath.Join(dir, "config.json")
		write(t, file, document)
		i.check(t, dir, "sing-box", "check", "-c", file)
		var config object
		decode(t, document, &config)
		var inbounds, rules []any
		mine := proxies{}
		for _, o := range config["outbounds"].([]any) {
			outbound := o.(object)
			if outbound["server"] == nil {
				continue // a group, or the way out without a proxy
			}
			tag, port := outbound["tag"].(string), i.port()
			in := fmt.Sprintf("in-%d", port)
			inbounds = append(inbounds, object{"type": "mixed", "tag": in, "listen": "127.0.0.1", "listen_port": port})
			rules = append(rules, object{"inbound": in, "action": "route", "outbound": tag})
			mine[combinationOf(tag)] = fmt.Sprintf("127.0.0.1:%d", port)
		}
		config["inbounds"] = inbounds
		route, _ := config["route"].(object)
		was, _ := route["rules"].([]any)
		config["route"] = merged(object{}, route)
		config["route"].(object)["rules"] = append(rules, was...)
		write(t, file, text(t, config))
		i.run(t, mine, dir, "sing-box", "run", "-c", file)
		merge(offered, mine)
	}
	return offered
}

func merge(to, from proxies) {
	for name, addr := range from {
		to[name] = addr
	}
}

// ownPorts are the top-level keys of a clash document that open ports or devices.
var ownPorts = regexp.MustCompile(`(?m)^"?(mixed-port|port|socks-port|external-controller|tun)"?:.*\n(?:[ \t].*\n)*`)

// mihomo runs the clash documents. Their text stays as it is but for the ports that they open themselves: what YAML
// makes of it is part of the test.
func mihomo(t *testing.T, i *interop) proxies {
	offered := proxies{}
	for _, user := range users {
		document, dir := i.document(user, "clash"), t.TempDir()
		file := filepath.Join(dir, "config.yaml")
		write(t, file, document)
		i.check(t, dir, "mihomo", "-t", "-d", dir, "-f", file)
		var config struct{ Proxies []object }
		if err := yaml.Unmarshal([]byte(document), &config); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		wantShortIDs(t, config.Proxies)
		var names []string
		for _, p := range config.Proxies {
			names = append(names, p["name"].(string))
		}
		listeners, mine := i.listenersOf(t, names, names)
		write(t, file, ownPorts.ReplaceAllString(document, "")+"\n"+listeners)
		i.run(t, mine, dir, "mihomo", "-d", dir, "-f", file)
		merge(offered, mine)
	}
	return offered
}

// wantShortIDs looks for the one short id that there is: unquoted it would be a number.
func wantShortIDs(t *testing.T, list []object) {
	t.Helper()
	seen := 0
	for _, p := range list {
		reality, ok := p["reality-opts"].(object)
		if !ok {
			continue
		}
		seen++
		if reality["short-id"] != "2351e1" {
			t.Errorf("%s has the short id %v", p["name"], reality["short-id"])
		}
	}
	if seen == 0 {
		t.Error("no proxy has REALITY")
	}
}

// listenersOf opens one local port for each of the targets, and says at which the combination in the name beside it is.
func (i *interop) listenersOf(t *testing.T, names, targets []string) (string, proxies) {
	t.Helper()
	var listeners []any
	mine := proxies{}
	for n, name := range names {
		port := i.port()
		listeners = append(listeners, object{
			"name": fmt.Sprintf("in-%d", port), "type": "mixed", "listen": "127.0.0.1", "port": port, "proxy": targets[n],
		})
		mine[combinationOf(name)] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	return "listeners: " + text(t, listeners) + "\n", mine
}

// mihomoLinks gives mihomo the share links, as the file of a provider, and offers those that it could read. One link
// that mihomo can not read costs all of a provider, so that those known to be left out have a provider each.
func mihomoLinks(t *testing.T, i *interop) proxies {
	offered := proxies{}
	for _, user := range users {
		dir, links := t.TempDir(), i.document(user, "links-base64")
		write(t, filepath.Join(dir, "links.txt"), links)
		providers, groups := object{}, []any{}
		var names, targets, excluded []string
		for _, c := range i.combinations {
			if c.user != user {
				continue
			}
			name, group, provider := c.name+"-"+user, fmt.Sprintf("group-%d", c.id), "links"
			exactly := "^" + regexp.QuoteMeta(name) + "$"
			if leftOut.reason("mihomo links", c.name) != "" {
				provider, excluded = fmt.Sprintf("only-%d", c.id), append(excluded, exactly)
				providers[provider] = object{"type": "file", "path": "links.txt", "filter": exactly}
			}
			names, targets = append(names, name), append(targets, group)
			groups = append(groups, object{"name": group, "type": "select", "use": []string{provider}, "filter": exactly})
		}
		providers["links"] = object{"type": "file", "path": "links.txt", "exclude-filter": strings.Join(excluded, "|")}
		listeners, mine := i.listenersOf(t, names, targets)
		controller, file := fmt.Sprintf("127.0.0.1:%d", i.port()), filepath.Join(dir, "config.yaml")
		write(t, file, fmt.Sprintf("log-level: warning\nexternal-controller: %s\nproxy-providers: %s\nproxy-groups: %s\n%s",
			controller, text(t, providers), text(t, groups), listeners))
		i.check(t, dir, "mihomo", "-t", "-d", dir, "-f", file)
		i.run(t, mine, dir, "mihomo", "-d", dir, "-f", file)
		for _, name := range providerNames(t, controller, providers) {
			offered[combinationOf(name)] = mine[combinationOf(name)]
		}
	}
	return offered
}

// providerNames asks a running mihomo which proxies it has read from its providers: a group without any would let its
// traffic pass by the server. Being told to read them again it answers only when it has; one that it can not read is an
// answer too.
func providerNames(t *testing.T, controller string, providers object) (names []string) {
	t.Helper()
	for provider := range providers {
		url := "http://" + controller + "/providers/proxies/" + provider
		again, err := http.NewRequest(http.MethodPut, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(again); err != nil {
			t.Fatal(err)
		} else {
			_ = resp.Body.Close()
		}
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		var read struct{ Proxies []struct{ Name string } }
		err = json.NewDecoder(resp.Body).Decode(&read)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range read.Proxies {
			names = append(names, p.Name)
		}
	}
	return names
}

// xray checks each configuration of the xray-json documents as it is, and runs the first outbound of each in one client.
func xray(t *testing.T, i *interop) proxies {
	offered := proxies{}
	var inbounds, outbounds, rules []any
	dir := t.TempDir()
	file := filepath.Join(dir, "config.json")
	for _, user := range users {
		var configs []json.RawMessage
		decode(t, i.document(user, "xray-json"), &configs)
		for _, raw := range configs {
			write(t, file, string(raw))
			i.check(t, dir, "xray", "run", "-test", "-c", file)
			var config object
			decode(t, string(raw), &config)
			outbound, port := config["outbounds"].([]any)[0].(object), i.port()
			tag := fmt.Sprint(port)
			outbound["tag"] = tag
			outbounds = append(outbounds, outbound)
			inbounds = append(inbounds, object{"tag": tag, "listen": "127.0.0.1", "port": port, "protocol": "mixed"})
			rules = append(rules, object{"inboundTag": []string{tag}, "outboundTag": tag})
			offered[combinationOf(config["remarks"].(string))] = "127.0.0.1:" + tag
		}
	}
	write(t, file, text(t, object{"inbounds": inbounds, "outbounds": outbounds, "routing": object{"rules": rules}}))
	i.run(t, offered, dir, "xray", "run", "-c", file)
	return offered
}
