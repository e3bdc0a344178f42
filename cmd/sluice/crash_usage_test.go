package main

import "testing"

// usageOracle knows between which bounds the usage of a mover is.
type usageOracle struct {
	*mover
	anchor mark       // since it was known or set last
	stored bytesMoved // at least this survives a kill
	before bytesMoved // had surely moved when the request in flight was sent
	late   bytesMoved // was begun when the last server was killed: a client app may still send it to the next one
	sets   int        // how often it was set
}

// mark is a usage that was known at some moment.
type mark struct {
	usage bytesMoved
	done  bytesMoved // had surely moved before that moment
	sent  bytesMoved // may have moved before that moment
}

// least is what must have been used when that was surely moved.
func (b mark) least(done bytesMoved) bytesMoved {
	more := done.minus(b.sent)
	return b.usage.plus(bytesMoved{max(more.up, 0), max(more.down, 0)})
}

// most is what can have been used when that may have moved.
func (b mark) most(sent bytesMoved) bytesMoved { return b.usage.plus(sent.minus(b.done)) }

// most is what can have been used until now.
func (o *usageOracle) most(since mark) bytesMoved {
	_, sent := o.moved()
	return since.most(sent).plus(o.late)
}

// begin is called before a request that sets the usage is sent.
func (o *usageOracle) begin() { o.before, _ = o.moved() }

// set is called when that request is acknowledged: what it says is stored.
func (o *usageOracle) set(usage bytesMoved) {
	_, sent := o.moved()
	o.anchor, o.stored = mark{usage, o.before, sent}, usage
	o.sets++
}

// restarted holds what a new server shows against what the old one can have stored. Nothing moves meanwhile.
func (o *usageOracle) restarted(t *testing.T, email string, got bytesMoved, flying *crashOp) {
	t.Helper()
	least, most := o.stored, o.most(o.anchor)
	ok := !least.exceeds(got) && !got.exceeds(most)
	if !ok && flying != nil && flying.moves == email {
		least, most = flying.usage, o.most(mark{usage: flying.usage, done: o.before})
		ok = !least.exceeds(got) && !got.exceeds(most)
	}
	if !ok {
		t.Fatalf("%s has used %+v, must have used between %+v and %+v; in flight was %+v", email, got, least, most, flying)
	}
	done, sent := o.moved()
	o.late = sent.minus(done)
	o.forget()
	o.anchor, o.stored = mark{usage: got}, got.minus(o.late) // which may have come by now, and is not stored then
}

// flushWatch raises what must be stored when a flush has begun and ended since it was moved.
type flushWatch struct {
	flushes int64 // at the last look that counts
	least   map[string]bytesMoved
	sets    map[string]int
}

// look checks what is shown of the movers, and notes it until two more flushes have ended: the first may have begun
// before. False says that the server is gone.
func (w *flushWatch) look(s *server, movers map[string]*usageOracle) bool {
	s.t.Helper()
	least, sets := map[string]bytesMoved{}, map[string]int{}
	for email, o := range movers {
		done, _ := o.moved()
		least[email], sets[email] = o.anchor.least(done), o.sets
		stopped := o.paused.Load()
		var row struct{ Obj traffic }
		body, err := s.try("GET", "/panel/api/clients/traffic/"+email, "", "")
		if err != nil {
			return false
		}
		decode(s.t, body, &row)
		if stopped {
			s.t.Fatalf("%s was cut by a server that lives", email)
		}
		got := bytesMoved{row.Obj.Up, row.Obj.Down}
		if most := o.most(o.anchor); least[email].exceeds(got) || got.exceeds(most) {
			s.t.Fatalf("%s has used %+v, must have used between %+v and %+v", email, got, least[email], most)
		}
	}
	flushes, alive := s.flushes()
	if !alive {
		return false
	}
	switch {
	case w.least == nil:
	case flushes < w.flushes+2:
		return true
	default:
		for email, o := range movers {
			if o.sets == w.sets[email] {
				o.stored = w.least[email]
			}
		}
	}
	w.flushes, w.least, w.sets = flushes, least, sets
	return true
}
