// A plugin for the tests of its host that uses every permission: it does what the lines of an event's payload say.
package main

import (
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

func init() {
	sdk.Register(sdk.Info{Name: "caller", Version: "1.0.0"})
	sdk.UseKV("it remembers what it was told")
	sdk.UseHTTP("it calls where it is told to", "*")
	sdk.Event("do", sdk.EventOptions{Events: []string{"*"}}, func(r *sdk.EventRequest) error {
		for line := range strings.Lines(r.Payload) {
			if err := do(strings.Fields(line)); err != nil {
				return err
			}
		}
		return nil
	})
}

func do(words []string) error {
	words = append(words, "", "", "")
	switch words[0] {
	case "get":
		value, found, err := sdk.KVGet(words[1])
		return say(err, strconv.Quote(string(value[:min(len(value), 10)]))+" "+strconv.Itoa(len(value))+" "+strconv.FormatBool(found))
	case "set":
		size, _ := strconv.Atoi(words[3])
		return say(sdk.KVSet(words[1], []byte(strings.Repeat(words[2], max(size, 1)))), "set")
	case "delete":
		return say(sdk.KVDelete(words[1]), "deleted")
	case "spin":
		for spun := 0; ; spun++ {
		}
	}
	req := sdk.HTTPRequest{Method: words[0], URL: words[1], Body: []byte(words[2])}
	for _, header := range words[3:] {
		if name, value, is := strings.Cut(header, ":"); is {
			req.Headers = append(req.Headers, sdk.Pair{Name: name, Value: value})
		}
	}
	reply, err := sdk.HTTP(req)
	return say(err, strconv.Itoa(int(reply.Status))+" "+strconv.Itoa(len(reply.Body))+" "+string(reply.Body[:min(len(reply.Body), 100)]))
}

// say logs how it went. An error is no error of the event, so that the lines that follow are done too.
func say(err error, what string) error {
	if err != nil {
		what = "error: " + err.Error()
	}
	sdk.Log(sdk.LogInfo, what)
	return nil
}

func main() {}
