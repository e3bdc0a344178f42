package ops

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// State is what the kernel knows besides its health.
type State interface {
	OnlineUsers() int
	Panics() map[string]uint64
	Counts() kernel.Counts
}

// collector reads the kernel's state whenever metrics are asked for: nothing is counted in between.
type collector struct {
	health Health
	state  State
}

var (
	upDesc       = prometheus.NewDesc("sluice_up", "Whether the part works (1) or not (0).", []string{"part"}, nil)
	inboundDesc  = prometheus.NewDesc("sluice_inbounds_down", "Inbounds that the core does not serve.", nil, nil)
	pluginDesc   = prometheus.NewDesc("sluice_plugin_loaded", "Whether the plugin serves (1) or was refused or switched off (0).", []string{"plugin"}, nil)
	flushDesc    = prometheus.NewDesc("sluice_traffic_flush_age_seconds", "Time since all traffic was stored.", nil, nil)
	onlineDesc   = prometheus.NewDesc("sluice_users_online", "Users with an open connection.", nil, nil)
	usersDesc    = prometheus.NewDesc("sluice_users", "Users that there are.", nil, nil)
	memoryDesc   = prometheus.NewDesc("sluice_directory_bytes", "Memory that the directory of users holds, about.", nil, nil)
	flushesDesc  = prometheus.NewDesc("sluice_traffic_flushes_total", "Flushes that stored all traffic.", nil, nil)
	driftDesc    = prometheus.NewDesc("sluice_reconciled_total", "Differences between the database and the running core that were mended.", nil, nil)
	refusedDesc  = prometheus.NewDesc("sluice_connections_refused_total", "Connections that the gate refused.", []string{"reason"}, nil)
	waitingDesc  = prometheus.NewDesc("sluice_events_waiting", "Events that are on their way to plugins.", nil, nil)
	deadDesc     = prometheus.NewDesc("sluice_events_dead", "Events that were given up.", nil, nil)
	eventAgeDesc = prometheus.NewDesc("sluice_event_age_seconds", "Age of the oldest event on its way, 0 = there is none.", nil, nil)
	callsDesc    = prometheus.NewDesc("sluice_plugin_calls_total", "Calls of the plugin since it was loaded.", []string{"plugin"}, nil)
	failuresDesc = prometheus.NewDesc("sluice_plugin_failures_total", "Crashes, missed deadlines and unusable replies among them.", []string{"plugin"}, nil)
	panicsDesc   = prometheus.NewDesc("sluice_panics_total", "Panics that were caught, each a bug with its stack in the log.", []string{"part"}, nil)
)

var _ prometheus.Collector = (*collector)(nil)

// Describe lists the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		upDesc, inboundDesc, pluginDesc, flushDesc, onlineDesc, usersDesc, memoryDesc, flushesDesc, driftDesc, refusedDesc,
		waitingDesc, deadDesc, eventAgeDesc, callsDesc, failuresDesc, panicsDesc,
	} {
		ch <- d
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	h := c.health.Health(ctx)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(upDesc, one(h.Database == nil), "database")
	gauge(upDesc, one(h.Core == nil), "core")
	gauge(inboundDesc, float64(len(h.Inbounds)))
	gauge(flushDesc, h.FlushAge.Seconds())
	gauge(onlineDesc, float64(c.state.OnlineUsers()))
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	counts := c.state.Counts()
	gauge(usersDesc, float64(counts.Users.Users))
	gauge(memoryDesc, float64(counts.Users.Bytes))
	count(flushesDesc, float64(counts.Flushes))
	count(driftDesc, float64(counts.Repaired))
	for reason, n := range counts.Refused {
		count(refusedDesc, float64(n), reason)
	}
	for part, n := range c.state.Panics() {
		count(panicsDesc, float64(n), part)
	}
	gauge(waitingDesc, float64(h.Events.Waiting))
	gauge(deadDesc, float64(h.Events.Dead))
	gauge(eventAgeDesc, h.EventAge.Seconds())
	c.plugins(h.Plugins, gauge, count)
}

// plugins tells of each name once: a refused file may have that of a plugin that serves.
func (*collector) plugins(all []plugin.Info, gauge, count func(d *prometheus.Desc, v float64, labels ...string)) {
	serves, known := map[string]bool{}, []string{}
	for _, p := range all {
		name := pluginName(p)
		if _, twice := serves[name]; !twice {
			known = append(known, name)
		}
		if p.State != plugin.StateRefused {
			count(callsDesc, float64(p.Calls), name)
			count(failuresDesc, float64(p.Failures), name)
		}
		serves[name] = serves[name] || p.State == plugin.StateLoaded || p.State == plugin.StateFailing
	}
	for _, name := range known {
		gauge(pluginDesc, one(serves[name]), name)
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Metrics returns the handler of /metrics, in Prometheus' text form.
func Metrics(k *kernel.Kernel) fiber.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{k, k},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return adaptor.HTTPHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}
