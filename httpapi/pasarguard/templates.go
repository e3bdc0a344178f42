package pasarguard

import (
	"context"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const templatesTag = "user templates"

func (r routes) templates() {
	handle(r, r.sudo(created("/user_template", "Make a template", templatesTag)), r.createTemplate)
	handle(r, get("/user_templates", "List the templates by id", templatesTag), r.listTemplates)
	handle(r, get("/user_templates/simple", "List names and ids of the templates", templatesTag), r.simpleTemplates)
	handle(r, get("/user_template/{template_id}", "Read a template", templatesTag), r.getTemplate)
	handle(r, r.sudo(put("/user_template/{template_id}", "Change a template; its users stay as they are", templatesTag)), r.updateTemplate)
	handleEmpty(r, r.sudo(remove("/user_template/{template_id}", "Delete a template; its users stay", templatesTag)), r.deleteTemplate)
	handle(r, r.sudo(post("/user_templates/bulk/delete", "Delete templates; their users stay", templatesTag)), r.deleteTemplates)
	handle(r, r.sudo(post("/user_templates/bulk/disable", "Let nobody use some templates", templatesTag)), r.disableTemplates(true))
	handle(r, r.sudo(post("/user_templates/bulk/enable", "Let templates be used again", templatesTag)), r.disableTemplates(false))
}

// TemplatePath is a path with the id of a template.
type TemplatePath struct {
	ID int64 `path:"template_id"`
}

type newTemplate struct{ Body templateInput }

func (r routes) createTemplate(ctx context.Context, _ accounts.Principal, in *newTemplate) (templateBody, error) {
	var t domain.Template
	faults := in.Body.faults()
	in.Body.missing(faults)
	if err := faults.Of(); err != nil {
		return templateBody{}, err
	}
	if err := in.Body.edit(&t); err != nil {
		return templateBody{}, err
	}
	t, err := r.Accounts.CreateTemplate(ctx, t)
	return newTemplateBody(&t), err
}

func (r routes) listTemplates(ctx context.Context, _ accounts.Principal, in *Paging) ([]templateBody, error) {
	all, err := r.Accounts.Templates(ctx)
	bodies := []templateBody{}
	for _, t := range page(all, *in) {
		bodies = append(bodies, newTemplateBody(&t))
	}
	return bodies, err
}

// simpleTemplateList is what choices of a template are made of.
type simpleTemplateList struct {
	Templates []simple `json:"templates"`
	Total     int      `json:"total" doc:"before paging"`
}

func (r routes) simpleTemplates(ctx context.Context, _ accounts.Principal, in *SimpleQuery) (simpleTemplateList, error) {
	all, err := r.Accounts.Templates(ctx)
	if err != nil {
		return simpleTemplateList{}, err
	}
	list := make([]simple, len(all))
	for i, t := range all {
		list[i] = simple{t.ID, t.Name}
	}
	list, total, err := in.of(list)
	return simpleTemplateList{list, total}, err
}

func (r routes) getTemplate(ctx context.Context, _ accounts.Principal, in *TemplatePath) (templateBody, error) {
	t, err := r.Accounts.Template(ctx, in.ID)
	return newTemplateBody(&t), err
}

type templateChange struct {
	TemplatePath
	Body templateInput
}

func (r routes) updateTemplate(ctx context.Context, _ accounts.Principal, in *templateChange) (templateBody, error) {
	if err := in.Body.faults().Of(); err != nil {
		return templateBody{}, err
	}
	t, err := r.Accounts.UpdateTemplate(ctx, in.ID, in.Body.edit)
	return newTemplateBody(&t), err
}

func (r routes) deleteTemplate(ctx context.Context, _ accounts.Principal, in *TemplatePath) error {
	_, err := r.Accounts.DeleteTemplates(ctx, []int64{in.ID})
	return err
}

// templateNames are those that something happened to.
type templateNames struct {
	Templates []string `json:"templates"`
	Count     int      `json:"count"`
}

func (r routes) deleteTemplates(ctx context.Context, _ accounts.Principal, in *idsRequest) (templateNames, error) {
	names, err := r.Accounts.DeleteTemplates(ctx, in.Body.IDs)
	return templateNames{names, len(names)}, err
}

func (r routes) disableTemplates(disabled bool) func(context.Context, accounts.Principal, *idsRequest) (templateNames, error) {
	return func(ctx context.Context, _ accounts.Principal, in *idsRequest) (templateNames, error) {
		names, err := r.Accounts.DisableTemplates(ctx, in.Body.IDs, disabled)
		return templateNames{names, len(names)}, err
	}
}
