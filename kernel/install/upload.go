package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Upload puts a plugin into the folder, in the place of the file that has its name now, and loads it. It is built and
// tried before: a file that can not be used changes nothing, and the error says why. One that asks for more than was
// granted is kept and waits. The answer has arrived when the new version serves.
func (s *Service) Upload(ctx context.Context, wasm []byte) (plugin.Info, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	trial, err := s.Host.Trial(ctx, "upload"+suffix, wasm, s.Policy)
	if err != nil {
		return plugin.Info{}, err
	}
	name := trial.Info().Name
	err = s.fits(trial, s.Policy(name))
	if err = errors.Join(err, trial.Close(ctx)); err != nil {
		return plugin.Info{}, err
	}
	file, err := s.fileOf(name)
	if err != nil {
		return plugin.Info{}, err
	}
	if err := write(s.Dir, file, wasm); err != nil {
		return plugin.Info{}, domain.Unavailable("the plugin can not be stored").Because(err)
	}
	if info, err := os.Stat(filepath.Join(s.Dir, file)); err == nil {
		s.seen[file] = seen{info.Size(), info.ModTime(), digest(wasm)}
	}
	ctx = context.WithoutCancel(ctx) // it is in the folder: it has to be followed
	if err := s.Host.Load(ctx, file, wasm); err != nil {
		return plugin.Info{}, err
	}
	s.settled(ctx)
	return s.Find(name)
}

// fits says why the host would not take the plugin beside those that it has.
func (s *Service) fits(trial *plugin.Trial, policy domain.PluginPolicy) error {
	name := trial.Info().Name
	for _, info := range s.Host.Plugins() {
		if info.Name == name && info.Builtin {
			return domain.Conflict("plugin", "can not have the name of the built-in one: "+name)
		}
	}
	for _, own := range trial.Info().Provides {
		for _, other := range s.Host.Items(own.Kind) {
			switch {
			case other.ID != own.ID || other.Plugin == name:
			case other.Builtin && !policy.Replaces:
				return domain.Conflict("plugin", fmt.Sprintf(
					"provides %s %s, which is built in: allow it with PUT /api/plugins/%s {\"replaces\":true} before the upload", own.Kind, own.ID, name))
			case !other.Builtin:
				return domain.Conflict("plugin", fmt.Sprintf("provides %s %s, as the plugin %s does already", own.Kind, own.ID, other.Plugin))
			}
		}
	}
	return nil
}

// fileOf is the file that the plugin of that name is in, or is going to be. One that holds another plugin is not touched.
func (s *Service) fileOf(name string) (string, error) {
	if info, err := s.Find(name); err == nil {
		return info.File, nil
	}
	file := name + suffix
	if other, err := s.Find(file); err == nil && other.Name != "" {
		return "", domain.Conflict("plugin", fmt.Sprintf("can not be stored as %s, which is the plugin %s: rename that file", file, other.Name))
	}
	return file, nil
}

// unfinished is what files are called while they are written.
const unfinished = ".upload-*"

// write stores a file so that it is there whole, or not at all, also after a loss of power.
func write(dir, name string, content []byte) (err error) {
	f, err := os.CreateTemp(dir, unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes what was renamed or removed in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
