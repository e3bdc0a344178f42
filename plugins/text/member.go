package text

// The writers of members take the key as it is to stand there, with its colon and, in JSON, its quotes.

// Key writes the separator and a key, after which a value comes.
func (w *Writer) Key(key string) {
	if w.Sep != 0 {
		w.Byte(w.Sep)
	}
	w.Sep = ','
	w.Str(key)
}

// Open starts an object or a list: bracket is { or [.
func (w *Writer) Open(bracket byte) {
	w.Byte(bracket)
	w.Sep = 0
}

// Close ends what Open has started: bracket is } or ].
func (w *Writer) Close(bracket byte) {
	w.Byte(bracket)
	w.Sep = ','
}

// Member writes a string.
func (w *Writer) Member(key, value string) {
	w.Key(key)
	w.Quote(value)
}

// Optional is Member for values that are left out when empty.
func (w *Writer) Optional(key, value string) {
	if value != "" {
		w.Member(key, value)
	}
}

// Number writes a number unless it is 0.
func (w *Writer) Number(key string, value uint32) {
	if value != 0 {
		w.Key(key)
		w.Uint(value)
	}
}

// True writes true if value is, and nothing else.
func (w *Writer) True(key string, value bool) {
	if value {
		w.Key(key)
		w.Str("true")
	}
}

// List writes strings, or nothing if there are none.
func (w *Writer) List(key string, values ...string) {
	if len(values) == 0 {
		return
	}
	w.Key(key)
	w.Open('[')
	for _, v := range values {
		w.Member("", v)
	}
	w.Close(']')
}
