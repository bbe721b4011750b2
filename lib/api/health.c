/* health.c - for machines that look after this one. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/wires.h"
#include "err.h"
#include "expose.h"
#include "gauges.h"
#include "json.h"

void
healthz(struct call *c)
{
	buf_adds(&c->out, "{\"status\":\"ok\"}");
	answer_json(c, 200);
}

/* What a program that speaks to Kafka says of itself: its state file begins with "ready". */
static bool
is_ready(const char *service, bool *known)
{
	char path[4096], text[16] = "";
	ssize_t n = -1;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", api.states, service) < (int)sizeof(path) &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n > 0)
		*known = true;
	return n <= 0 || strncmp(text, "ready", 5) == 0;
}

static bool
part(struct call *c, const char *name, bool ready)
{
	const char *ignore = web_param(c->r, "ignore");

	buf_addf(&c->out, "%s\"%s\":\"%s\"", c->number++ ? "," : "", name, ready ? "ready" : "waiting");
	return ready || (ignore && strcmp(ignore, name) == 0);
}

void
readyz(struct call *c)
{
	const char *ignore;
	bool ready = true, known = false, kafka;

	if (param_among(c, "ignore", " ledger intake search events kafka ", &ignore) < 0)
		return;
	buf_adds(&c->out, "{\"parts\":{");
	ready &= part(c, "ledger", pgpool_up(api_quick));
	ready &= part(c, "events", events_ready());
	if (api.intake)
		ready &= part(c, "intake", wires_ready(WIRES_INTAKE));
	if (api.hits)
		ready &= part(c, "search", wires_ready(WIRES_HITS));
	if (api.states) {
		kafka = is_ready("intake", &known);
		kafka &= is_ready("outbox", &known);
		if (known)
			ready &= part(c, "kafka", kafka);
	}
	buf_addf(&c->out, "},\"status\":\"%s\"}", ready ? "ready" : "waiting");
	if (!ready)
		web_add(c->r, "Retry-After", "1");
	answer_json(c, ready ? 200 : 503);
}

static void
got_metrics(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	expose_family(&c->out, "ledger_up", "gauge", "1 when the ledger answered; without it none of its numbers are here.");
	buf_addf(&c->out, "sluice_ledger_up %d\n", st == PG_OK);
	if (st == PG_OK)
		gauges_rows(&c->out, db);
	web_answer(c->r, 200, "text/plain; version=0.0.4; charset=utf-8", &c->out);
}

void
metrics_get(struct call *c)
{
	if (strcmp(c->who.tenant, "*") != 0) {
		problem(c, 403, "other_tenant", NULL, "the numbers are everybody's: they need a token for all tenants");
		return;
	}
	if (api.metrics && expose_folder(&c->out, api.metrics) < 0)
		warn_sys("%s", api.metrics);
	pgpool_run(pgpool_call(api_slow, GAUGES_SQL, got_metrics, c));
}
