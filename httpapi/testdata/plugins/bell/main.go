// A plugin for tests: it posts every event of users to the address in its settings. Version and hosts are set when it is
// built.
package main

import (
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

var (
	version = "1.0.0"
	hosts   = "127.0.0.1"
	address string
)

func init() {
	sdk.Register(sdk.Info{Name: "bell", Version: version, Description: "Rings when something happens to a user."})
	sdk.UseHTTP("tells your server", strings.Split(hosts, ",")...)
	sdk.UseKV("counts the calls")
	sdk.Configure(`{"type":"object","properties":{"url":{"type":"string","minLength":1}},"required":["url"],"additionalProperties":false}`,
		func(settings string) error {
			_, value, _ := strings.Cut(settings, `"url":"`)
			address = strings.Clone(strings.TrimSuffix(value, `"}`))
			return nil
		})
	sdk.Event("ring", sdk.EventOptions{Events: []string{"user.created", "user.limited", "user.deleted"}}, ring)
}

func ring(req *sdk.EventRequest) error {
	n := 1
	if before, found, err := sdk.KVGet("rung"); err != nil {
		return err
	} else if found {
		n, _ = strconv.Atoi(string(before))
		n++
	}
	reply, err := sdk.HTTP(sdk.HTTPRequest{Method: "POST", URL: address + "/" + req.Type + "/" + strconv.Itoa(n), Body: []byte(req.Payload)})
	if err != nil {
		return err
	}
	if reply.Status != 200 {
		sdk.Log(sdk.LogWarn, "the server answers "+strconv.Itoa(int(reply.Status)))
		return sdk.Retry("the server answers " + strconv.Itoa(int(reply.Status)))
	}
	return sdk.KVSet("rung", []byte(strconv.Itoa(n)))
}

func main() {}
