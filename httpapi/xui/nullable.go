package xui

import "github.com/danielgtaylor/huma/v2"

// TransformSchema says in the OpenAPI document which objects of a client may be null.
func (ClientRecord) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "reset_policy", "reverse")
}

// TransformSchema says the same of an exported client.
func (exportedClient) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "reverse")
}

// nullable lets properties be null: huma can say it of other types, but not of an object.
func nullable(s *huma.Schema, names ...string) *huma.Schema {
	for _, name := range names {
		s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{s.Properties[name], {Type: "null"}}}
	}
	return s
}
