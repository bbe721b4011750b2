/* The headers of a line that asks for a message. */
#include <stdio.h>
#include <string.h>

#include "kafka-place.h"
#include "kafka-post.h"

static int
wrong(struct kafka_post *p, const char *what, size_t which)
{
	if (which)
		snprintf(p->why, sizeof(p->why), "header %zu %s", which, what);
	else
		snprintf(p->why, sizeof(p->why), "%s", what);
	return -1;
}

/* Offsets in the pointers' place until all bytes are there. */
static int
put_header(struct kafka_post *p, struct place name, struct place val)
{
	struct kafka_header *h = &p->headers[p->msg.n_headers++];

	if (!name.at || memchr(place_ptr(&p->bytes, name.at), '\0', name.len))
		return -1;
	h->name = (const char *)(uintptr_t)name.at;
	h->val = (const char *)(uintptr_t)val.at;
	h->len = val.len;
	return 0;
}

static int
header(struct kafka_post *p, const struct rec_member *m)
{
	static struct rec pair = REC_INIT;
	struct place name, val;

	if (m->key) {                           /* of an object */
		place_key(&p->bytes, m, &name);
		return place_either(&p->bytes, m, &val) < 0 ? -1 : put_header(p, name, val);
	}
	if (m->type != '[' || rec_items(&pair, m->val, m->val_len) != REC_OK || pair.n != 2 ||
	    place_either(&p->bytes, &pair.m[0], &name) < 0 ||
	    place_either(&p->bytes, &pair.m[1], &val) < 0)
		return -1;
	return put_header(p, name, val);
}

static void
header_room(struct kafka_post *p, size_t n)
{
	if (n <= p->headers_cap)
		return;
	p->headers = mem_array(p->headers, n, sizeof(*p->headers));
	p->headers_cap = n;
}

int
kafka_post_headers(struct kafka_post *p, const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	enum rec_status st = m->type == '[' ? rec_items(&r, m->val, m->val_len) :
	    m->type == '{' ? rec_parse(&r, m->val, m->val_len) : REC_SYNTAX;

	if (st != REC_OK)
		return wrong(p, "headers must be an object of strings or a list of pairs", 0);
	header_room(p, r.n);
	for (size_t i = 0; i < r.n; i++)
		if (header(p, &r.m[i]) < 0)
			return wrong(p, "is not a name and a string, null or {\"b64\"}", i + 1);
	return 0;
}

void
kafka_post_headers_place(struct kafka_post *p)
{
	for (size_t i = 0; i < p->msg.n_headers; i++) {
		p->headers[i].name = place_ptr(&p->bytes, (uintptr_t)p->headers[i].name);
		p->headers[i].val = place_ptr(&p->bytes, (uintptr_t)p->headers[i].val);
	}
	p->msg.headers = p->headers;
}

bool
kafka_post_divert(struct kafka_post *p, const char *why)
{
	const char *from = p->msg.topic;

	if (!p->fallback || strcmp(p->fallback, from) == 0)
		return false;
	header_room(p, p->msg.n_headers + 2);
	p->headers[p->msg.n_headers++] = (struct kafka_header){ "sluice-callback", why, strlen(why) };
	p->headers[p->msg.n_headers++] = (struct kafka_header){ "sluice-callback-topic", from, strlen(from) };
	p->msg.headers = p->headers;
	p->msg.topic = p->fallback;
	p->msg.partition = -1;
	p->fallback = NULL;
	p->failed = false;
	return true;
}
