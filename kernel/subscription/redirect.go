package subscription

import "encoding/json"

// redirect makes the transport ask for another path and another host name; "" leaves what there is. grpc has other
// names for the two.
func (s *stream) redirect(path, name string) {
	switch s.network {
	case "ws", "httpupgrade", "xhttp":
		s.carrier = s.carrier.with("path", path).with("host", name)
	case "grpc":
		s.carrier = s.carrier.with("serviceName", path).with("authority", name)
	case "raw":
		s.redirectHeader(path, name)
	}
}

// redirectHeader edits the request that a raw transport imitates, if it does.
func (s *stream) redirectHeader(path, name string) {
	var header, request, headers object
	_ = json.Unmarshal(s.carrier.value("header"), &header)
	if header.text("type") != "http" || path == "" && name == "" {
		return
	}
	_ = json.Unmarshal(header.value("request"), &request)
	_ = json.Unmarshal(request.value("headers"), &headers)
	if path != "" {
		request = request.with("path", []string{path})
	}
	if name != "" {
		request = request.with("headers", headers.with("Host", []string{name}))
	}
	s.carrier = s.carrier.with("header", header.with("request", request))
}

// with returns a copy in which value stands under key, in the place of whatever did; "" changes nothing.
func (o object) with(key string, value any) object {
	if value == "" {
		return o
	}
	raw, err := json.Marshal(value)
	if err != nil { // strings, and what came out of a decoder
		return o
	}
	changed := o.without(key)
	if changed == nil {
		changed = object{}
	}
	changed[key] = raw
	return changed
}
