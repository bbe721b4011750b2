#include "expose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expose_int.h"

static const struct { const char *name, *help; } helps[] = {
	{ "answer_seconds", "Time from feeding a record to its answer." },
	{ "answered_total", "Records whose line came back from the filter." },
	{ "consumer_lag", "Records on Kafka, in the partitions that this consumer has, that are not read yet." },
	{ "deaths_total", "Filters that ended with answers missing." },
	{ "event_streams", "Readers of server-sent events." },
	{ "event_streams_dropped_total", "Readers dropped because they took too little." },
	{ "events_told_total", "Events that came in while this server ran." },
	{ "fed_total", "Records written to the filter, again counted when fed again." },
	{ "guilty_total", "Records that end the filter." },
	{ "http_connections", "Connections of clients." },
	{ "http_connections_reaped_total", "Connections ended because they took too long." },
	{ "http_request_seconds", "Time from a request's headers to its end." },
	{ "http_requests_total", "Requests by the hundreds of their status; none: not answered." },
	{ "in_flight", "Records in the filter now." },
	{ "jobs_completed_total", "Jobs that this worker completed." },
	{ "jobs_failed_total", "Jobs that ended as failed here." },
	{ "jobs_retried_total", "Attempts that ended here in another try to come." },
	{ "jobs_waiting_total", "Jobs sent to wait at a gate here." },
	{ "jobs_refused_total", "Results that were refused because they came too late." },
	{ "keeper_blobs_collected_total", "Blobs that nothing named, removed." },
	{ "keeper_faults", "Kinds of things that the last sweep found and a person has to look at." },
	{ "keeper_mended_total", "Things that an event had missed, mended by the sweep." },
	{ "keeper_parts_dropped_total", "Parts of the history dropped at the end of their time." },
	{ "keeper_sweep_timestamp_seconds", "When the last sweep ended." },
	{ "keeper_rows_deleted_total", "Rows deleted at the end of their time." },
	{ "outbox_lag", "Messages that the relay has not sent yet." },
	{ "outbox_published_total", "Messages sent to Kafka." },
	{ "outbox_undeliverable_total", "Messages that Kafka will never take." },
	{ "stage_seconds", "Time that a record spent in a stage." },
	{ "stray_total", "Lines of the filter that answer nothing." },
	{ "window", "Most records that may be in the filter." },
};

static const char *
help_of(const char *name)
{
	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++)
		if (strcmp(helps[i].name, name) == 0)
			return helps[i].help;
	return "No description.";
}

void
expose_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP sluice_%s %s\n# TYPE sluice_%s %s\n", name, help, name, type);
}

/* Printing */

static void
put_labels(struct buf *out, const struct source *s, const char *more)
{
	buf_addf(out, "{service=\"%s\",program=\"%s\"", s->f->service, s->f->program);
	if (s->f->instance)
		buf_addf(out, ",instance_no=\"%" PRIu64 "\"", s->f->instance);
	if (*more)
		buf_addf(out, ",%s", more);
	buf_addc(out, '}');
}

static void
put_hist(struct buf *out, const struct item *it)
{
	struct buf label = BUF_INIT;
	char stage[sizeof(it->h->stage) + 16] = "";
	uint64_t n = 0;

	if (it->h->stage[0])
		snprintf(stage, sizeof(stage), "stage=\"%s\"", it->h->stage);

	for (int i = 0; i <= METRICS_BUCKETS; i++) {
		n += it->h->bucket[i];
		label.len = 0;
		buf_addf(&label, "%s%sle=\"", stage, *stage ? "," : "");
		if (i < METRICS_BUCKETS)
			buf_addf(&label, "%g\"", (double)metrics_bound_us[i] / 1e6);
		else
			buf_adds(&label, "+Inf\"");
		buf_addf(out, "sluice_%s_bucket", it->name);
		put_labels(out, it->s, buf_str(&label));
		buf_addf(out, " %" PRIu64 "\n", n);
	}
	buf_addf(out, "sluice_%s_sum", it->name);
	put_labels(out, it->s, stage);
	buf_addf(out, " %.6f\nsluice_%s_count", (double)it->h->sum_us / 1e6, it->name);
	put_labels(out, it->s, stage);
	buf_addf(out, " %" PRIu64 "\n", n);
	buf_free(&label);
}

static void
put_item(struct buf *out, const struct item *it, bool first)
{
	size_t n = strcspn(it->name, "{"), rest = strlen(it->name + n);
	char name[METRICS_NAME], more[METRICS_NAME] = "";
	bool counter = n > 6 && memcmp(it->name + n - 6, "_total", 6) == 0;

	memcpy(name, it->name, n);
	name[n] = '\0';
	if (rest > 2)
		memcpy(more, it->name + n + 1, rest - 2);
	if (first)
		expose_family(out, name, it->h ? "histogram" : counter ? "counter" : "gauge", help_of(name));
	if (it->h) {
		put_hist(out, it);
	} else if (counter || it->s->alive) {
		buf_addf(out, "sluice_%s", name);
		put_labels(out, it->s, more);
		buf_addf(out, " %" PRIu64 "\n", it->m->value);
	}
}

static int
by_family(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	size_t n = strcspn(x->name, "{"), m = strcspn(y->name, "{");
	int c = memcmp(x->name, y->name, n < m ? n : m);

	if (c || n != m)
		return c ? c : n < m ? -1 : 1;
	if (x->s != y->s)
		return x->s < y->s ? -1 : 1;
	return x->h && y->h ? (x->h > y->h) - (x->h < y->h) : x->m && y->m ? (x->m > y->m) - (x->m < y->m) : x->h ? 1 : -1;
}

static void
put_all(struct buf *out, const struct source *s, size_t n, unsigned bad)
{
	struct item *items = mem_array(NULL, (n + 1) * (METRICS_MAX + METRICS_HISTS), sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += expose_items(items + count, &s[i]);
	qsort(items, count, sizeof(*items), by_family);
	for (size_t i = 0; i < count; i++)
		put_item(out, &items[i], i == 0 || strcspn(items[i].name, "{") != strcspn(items[i - 1].name, "{") ||
		    strncmp(items[i].name, items[i - 1].name, strcspn(items[i].name, "{")) != 0);
	free(items);
	expose_family(out, "process_up", "gauge", "1 while the program that writes these numbers runs.");
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, "sluice_process_up");
		put_labels(out, &s[i], "");
		buf_addf(out, " %d\n", s[i].alive);
	}
	expose_family(out, "metrics_files_bad", "gauge", "Files in the metrics folder that hold no numbers.");
	buf_addf(out, "sluice_metrics_files_bad %u\n", bad);
}

int
expose_folder(struct buf *out, const char *folder)
{
	struct source *s = mem_array(NULL, EXPOSE_FILES, sizeof(*s));
	unsigned bad = 0;
	int n = expose_read(s, folder, &bad);

	if (n >= 0)
		put_all(out, s, (size_t)n, bad);
	for (int i = 0; i < n; i++)
		free(s[i].f);
	free(s);
	return n < 0 ? -1 : 0;
}
