/* counts.c - what jobs-api counts of itself (metrics.h). */
#include "api/counts.h"

#include "metrics.h"
#include "web.h"

static struct {
	uint64_t *requests[6];          /* by the status's hundreds; 0: not answered */
	uint64_t *connections, *streams, *dropped, *reaped, *events;
	struct metrics_hist *seconds;
} m;

void
counts_start(void)
{
	static const char *const names[] = { "http_requests_total{code=\"none\"}", "http_requests_total{code=\"1xx\"}",
		"http_requests_total{code=\"2xx\"}", "http_requests_total{code=\"3xx\"}", "http_requests_total{code=\"4xx\"}",
		"http_requests_total{code=\"5xx\"}" };

	for (int i = 0; i < 6; i++)
		m.requests[i] = metrics_value(names[i]);
	m.connections = metrics_value("http_connections");
	m.streams = metrics_value("event_streams");
	m.dropped = metrics_value("event_streams_dropped_total");
	m.reaped = metrics_value("http_connections_reaped_total");
	m.events = metrics_value("events_told_total");
	m.seconds = metrics_hist("http_request_seconds", "");
}

void
counts_request(unsigned status, int64_t us)
{
	++*m.requests[status < 600 ? status / 100 : 0];
	if (us >= 0)
		metrics_observe(m.seconds, (uint64_t)us);
}

void
counts_event(void)
{
	++*m.events;
}

/* Counters go on from where the last process left them. */
void
counts_second(void)
{
	static struct web_counts last;
	struct web_counts n = web_counts();

	*m.connections = n.connections;
	*m.streams = n.streams;
	*m.dropped += n.dropped - last.dropped;
	*m.reaped += n.reaped - last.reaped;
	last = n;
}
