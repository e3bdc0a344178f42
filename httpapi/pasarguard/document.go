package pasarguard

import "github.com/danielgtaylor/huma/v2"

// nullable says in the API's document that properties may be null: huma can say it of plain types, but not of objects nor
// of types with a schema of their own.
func nullable(s *huma.Schema, names ...string) *huma.Schema {
	for _, name := range names {
		s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{s.Properties[name], {Type: "null"}}}
	}
	return s
}

// TransformSchema says what of a user may be null; a userBody has it too.
func (PublicUser) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "expire", "data_limit_reset_params", "reset_policy", "on_hold_timeout", "next_plan", "edit_at", "online_at")
}

// TransformSchema says what of a reset policy may be null.
func (policyState) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "params", "next_at")
}

// TransformSchema says that a template may have no extra settings.
func (templateBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "extra_settings")
}
