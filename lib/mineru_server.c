#include <stdio.h>
#include <string.h>

#include "mineru.h"
#include "now.h"

/* How long what a server said of its load is believed; the newest protocol that we know. */
enum { HEALTH_MS = 2000, HEALTH_TOTAL_MS = 10000, HEALTH_MAX = 64 << 10, PROTOCOL = 2 };

int
mineru_servers(struct mineru *m, const char *list)
{
	struct http_result r = HTTP_RESULT_INIT;
	char origin[300];

	for (const char *p = list; *p; p += strspn(p, ", ")) {
		size_t len = strcspn(p, ", "), base = len;
		struct mineru_server *s = &m->server[m->n];

		while (base && p[base - 1] == '/')
			base--;
		if (m->n == MINERU_SERVERS || !base || base >= sizeof s->base)
			return -1;
		memcpy(s->base, p, base);
		s->base[base] = 0;
		if (http_origin(s->base, origin, sizeof origin, &r) < 0)
			return -1;
		m->n++;
		p += len;
	}
	return m->n ? 0 : -1;
}

/* The one with the least to do for its size, of those that have not failed d. */
static struct mineru_server *
least(struct mineru *m, const struct mineru_doc *d)
{
	struct mineru_server *best = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct mineru_server *s = &m->server[i];

		if (s->alive && !(d->tried >> i & 1) && (!best || (s->health.busy + s->given) * best->health.room <
		    (best->health.busy + best->given) * s->health.room))
			best = s;
	}
	return best;
}

static void
hand_out(struct mineru *m)
{
	struct mineru_doc *d;

	while ((d = m->waiting)) {
		m->waiting = d->next;
		if ((d->s = least(m, d))) {
			d->s->given++;
			mineru_send(d);
		} else if (d->code) {
			/* Those that are there have failed it: the last of them said why. */
			buf_free(&d->pdf);
			d->done(d->ctx, d);
		} else {
			mineru_fail(d, "mineru_unavailable", true, m->after_ms, "no server is there: %s", m->why);
		}
	}
}

static void
down(struct mineru *m, const struct mineru_server *s, const char *why, unsigned long after_ms)
{
	snprintf(m->why, sizeof m->why, "%.256s: %.256s", s->base, why);
	if (!m->after_ms || (after_ms && after_ms < m->after_ms))
		m->after_ms = after_ms;
}

/* One server's health, and who it is of. */
struct question {
	struct mineru *m;
	struct mineru_server *s;
};
static struct question questions[MINERU_SERVERS];

static void
healthy(void *ctx, struct http_result *r)
{
	struct question *q = ctx;
	struct mineru *m = q->m;
	struct mineru_server *s = q->s;

	s->given = 0;
	if (r->status == 404 || r->status == 405) {
		/* Before 3.0 there was none. */
		s->health = (struct mineru_health){ .room = 1 };
		s->alive = s->simple = true;
	} else if (r->code) {
		down(m, s, r->message, r->after_ms);
	} else if (mineru_read_health(&s->health, r->body.p, r->body.len) < 0) {
		down(m, s, "it does not say that it is healthy", 0);
	} else if (s->health.protocol > PROTOCOL) {
		down(m, s, "it speaks a newer protocol", 0);
	} else {
		s->alive = true;
		s->simple = false;
	}
	if (--m->asking == 0)
		hand_out(m);
}

static void
ask(struct mineru *m)
{
	m->asked = now_ms();
	m->asking = m->n;
	m->after_ms = 0;
	m->why[0] = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct fetch_request q = { .secret = m->secret, .header = "Accept: application/json", .max = HEALTH_MAX,
			.total_ms = HEALTH_TOTAL_MS, .done = healthy, .ctx = &questions[i] };
		char url[sizeof m->server[i].base + 16];

		questions[i] = (struct question){ m, &m->server[i] };
		m->server[i].alive = false;
		snprintf(url, sizeof url, "%s/health", m->server[i].base);
		q.url = url;
		fetch_start(m->f, &q);
	}
}

void
mineru_choose(struct mineru *m, struct mineru_doc *d)
{
	struct mineru_doc **at = &m->waiting;

	while (*at)
		at = &(*at)->next;
	d->next = NULL;
	*at = d;
	if (m->asking)
		return;
	if (!m->asked || now_ms() - m->asked > HEALTH_MS || d->tried)
		ask(m);
	else
		hand_out(m);
}
