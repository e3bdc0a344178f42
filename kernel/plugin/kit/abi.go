package kit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// message is any request of package wire.
type message interface {
	Append(b []byte) []byte
	Decode(b []byte) error
}

// ops is which op asks an item of a kind.
var ops = map[string]wire.Op{
	wire.KindUsername: wire.OpUsername, wire.KindPeriod: wire.OpPeriod, wire.KindFormat: wire.OpFormat, wire.KindEvent: wire.OpEvent,
}

// garbage are requests that no codec takes.
var garbage = [][]byte{
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // a number that does not end
	{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 'x'},                                // a string of 4 GiB
	{0x0a, 0x05, 'x'},                               // a string that is cut off
	{0x07, 0x01},                                    // a type that does not exist
	{0x32, 0x03, 0x0a, 0x7f, 'x'},                   // a message in a message that lies about its length
	bytes.Repeat([]byte{0x80}, 4096),                //
	[]byte(`{"id":`),                                //
	[]byte(strings.Repeat("[", 4096)),               //
	bytes.Repeat([]byte("\xde\xad\xbe\xef"), 16384), // 64 KiB of nothing
}

// checkABI holds the plugin as a whole against what is the same for all kinds.
func (s *session) checkABI() {
	s.advise("", "it does not know ops of later versions", s.probe(func(p *plugin.Probe) error {
		for _, op := range []wire.Op{0, 6, 99, 1 << 31} {
			_, err := p.Exchange(op, nil)
			var word *plugin.PluginError
			if !errors.As(err, &word) || word.Code != wire.CodeUnimplemented {
				return fmt.Errorf("op %d is not answered with the error unimplemented", op)
			}
		}
		return nil
	}))
	s.checkGarbage()
	s.judge("", "an empty request does no harm", s.each(func(p *plugin.Probe, op wire.Op) error {
		_, err := p.Exchange(op, nil)
		return harmed(err)
	}))
	if len(s.info.SettingsSchema) > 0 {
		s.judge("", "settings that are none do no harm", s.probe(func(p *plugin.Probe) error {
			for _, settings := range []string{"", "{}", "[", `{"no_such_setting":[1,{}]}`, strings.Repeat("x", 1<<20)} {
				if err := s.ask(p, wire.OpConfigure, &wire.ConfigureRequest{Settings: settings}); harmed(err) != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// checkGarbage sends what is no request. A crash is a failure; to answer as if it was one is bad style.
func (s *session) checkGarbage() {
	taken := 0
	err := s.each(func(p *plugin.Probe, op wire.Op) error {
		for _, request := range garbage {
			_, err := p.Exchange(op, request)
			if err == nil {
				taken++
			}
			if err := harmed(err); err != nil {
				return fmt.Errorf("%s: a request of %d bytes that are none: %w", op, len(request), err)
			}
		}
		return nil
	})
	const rule = "bytes that are no request are refused"
	if err == nil && taken > 0 {
		s.note(Warn, "", rule, fmt.Sprintf("%d of %d were answered as if they were requests", taken, len(garbage)*len(s.ops())))
		return
	}
	s.judge("", rule, err)
}

// ops returns those that the plugin's items take, each once.
func (s *session) ops() (list []wire.Op) {
	for _, item := range s.info.Provides {
		if op := ops[item.Kind]; !slices.Contains(list, op) {
			list = append(list, op)
		}
	}
	return list
}

// each runs do with a fresh instance for every op of the plugin, until one fails.
func (s *session) each(do func(p *plugin.Probe, op wire.Op) error) error {
	for _, op := range s.ops() {
		if err := s.probe(func(p *plugin.Probe) error { return do(p, op) }); err != nil {
			return err
		}
	}
	return nil
}

// probe runs do with a fresh instance.
func (s *session) probe(do func(*plugin.Probe) error) error {
	p, err := s.host.Probe(s.file)
	if err != nil {
		return err
	}
	defer p.Close()
	return do(p)
}

// ask sends a request whose reply does not matter.
func (s *session) ask(p *plugin.Probe, op wire.Op, req message) error {
	b, err := p.Encode(req)
	if err == nil {
		_, err = p.Exchange(op, b)
	}
	return err
}

// answer is the reply to a request, as bytes: an error of the plugin's own is a reply too.
func (s *session) answer(p *plugin.Probe, op wire.Op, req message) ([]byte, error) {
	b, err := p.Encode(req)
	if err != nil {
		return nil, err
	}
	reply, err := p.Exchange(op, b)
	if refused(err) {
		return []byte("refused: " + err.Error()), nil
	}
	return reply, err
}

// checkReproducible holds an item against the promise that the same request has the same reply: at once, and by an
// instance that has seen nothing before.
func (s *session) checkReproducible(item *wire.Item, requests ...message) {
	op := ops[item.Kind]
	var first [][]byte
	err := s.probe(func(p *plugin.Probe) error {
		for _, req := range requests {
			once, err := s.answer(p, op, req)
			if err != nil {
				return err
			}
			again, err := s.answer(p, op, req)
			if err == nil && !bytes.Equal(once, again) {
				err = errors.New("the same request is answered in another way the second time")
			}
			if err != nil {
				return err
			}
			first = append(first, once)
		}
		return nil
	})
	for i := len(requests) - 1; i >= 0 && err == nil; i-- {
		err = s.probe(func(p *plugin.Probe) error {
			fresh, err := s.answer(p, op, requests[i])
			if err == nil && !bytes.Equal(fresh, first[i]) {
				err = errors.New("a fresh instance answers the same request in another way")
			}
			return err
		})
	}
	s.judge(what(item), "the same request has the same reply", err)
}

// checkMemory makes 1,000 calls and looks at how much larger the instance has become: the host replaces one above
// 16 MiB, which costs the next caller the start of a new one.
func (s *session) checkMemory(item *wire.Item, req message) {
	const warm, calls, plenty = 100, 1000, 4 << 20
	grown := 0
	err := s.probe(func(p *plugin.Probe) error {
		for i := range warm + calls {
			if i == warm {
				grown = -p.Memory()
			}
			if err := harmed(s.ask(p, ops[item.Kind], req)); err != nil {
				return fmt.Errorf("call %d: %w", i+1, err)
			}
		}
		grown += p.Memory()
		return nil
	})
	const rule = "memory holds over 1,000 calls"
	if err == nil && grown > plenty {
		s.note(Warn, what(item), rule, fmt.Sprintf("it grew by %d KiB", grown>>10))
		return
	}
	s.judge(what(item), rule, err)
}

// entropy is 32 bytes that differ by seed.
func entropy(seed byte) []byte {
	b := make([]byte, wire.EntropySize)
	for i := range b {
		b[i] = seed + byte(i)*7
	}
	return b
}
