// Package jobs runs the work that the clock starts: flushing traffic, what is due in the lives of users, auditing the
// core, pruning old rows.
package jobs

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
)

// Job is one piece of periodic work. A run that takes longer than Every delays the next one.
type Job struct {
	Name  string
	Every time.Duration
	Run   func(context.Context) error
}

// Runner runs jobs until it is stopped.
type Runner struct {
	scheduler gocron.Scheduler
	log       *zap.Logger

	mu   sync.Mutex
	jobs map[string]gocron.Job
}

// Start runs each job whenever its time has come. An error or a panic of one run is logged and ends that run only.
func Start(clock clockwork.Clock, log *zap.Logger, jobs ...Job) (*Runner, error) {
	s, err := gocron.NewScheduler(gocron.WithClock(steady(clock)), gocron.WithStopTimeout(stopTimeout))
	if err != nil {
		return nil, fmt.Errorf("start jobs: %w", err)
	}
	r := &Runner{scheduler: s, log: log, jobs: map[string]gocron.Job{}}
	for _, j := range jobs {
		r.jobs[j.Name], err = s.NewJob(gocron.DurationJob(j.Every), r.task(j), r.options(j)...)
		if err != nil {
			return nil, fmt.Errorf("start job %s: %w", j.Name, err)
		}
	}
	s.Start()
	return r, nil
}

func (r *Runner) task(j Job) gocron.Task {
	return gocron.NewTask(func(ctx context.Context) { run(ctx, r.log, j) })
}

func (*Runner) options(j Job) []gocron.JobOption {
	return []gocron.JobOption{gocron.WithName(j.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule)}
}

// Now runs a job soon, besides its times.
func (r *Runner) Now(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.jobs[name].RunNow(); err != nil {
		r.log.Warn("a job could not be run at once, it runs in time", zap.String("job", name), zap.Error(err))
	}
}

// Reschedule gives a job another interval from now on.
func (r *Runner) Reschedule(j Job) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed, err := r.scheduler.Update(r.jobs[j.Name].ID(), gocron.DurationJob(j.Every), r.task(j), r.options(j)...)
	if err != nil {
		return fmt.Errorf("reschedule job %s: %w", j.Name, err)
	}
	r.jobs[j.Name] = changed
	return nil
}

// stopTimeout bounds how long Stop waits for runs that do not end when told to.
const stopTimeout = 10 * time.Second

// Stop ends the runs under way and waits for them.
func (r *Runner) Stop() error {
	if err := r.scheduler.Shutdown(); err != nil {
		return fmt.Errorf("stop jobs: %w", err)
	}
	return nil
}

func run(ctx context.Context, log *zap.Logger, j Job) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("job panicked", zap.String("job", j.Name), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		}
	}()
	if err := j.Run(ctx); err != nil && ctx.Err() == nil {
		log.Error("job failed, it runs again in time", zap.String("job", j.Name), zap.Duration("every", j.Every), zap.Error(err))
	}
}
