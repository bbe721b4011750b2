/* form.c - what a page's form sends, and where the browser goes then. */
#include <string.h>

#include "api/api.h"
#include "api/parse.h"
#include "percent.h"

bool
form_field(const struct call *c, const char *name, struct buf *value)
{
	struct buf raw = BUF_INIT;
	size_t len;
	const char *p = parse_field(c->r->body.p, c->r->body.len, name, &len);
	bool good = p;

	value->len = 0;
	if (p) {
		buf_add(&raw, p, len);
		for (size_t i = 0; i < len; i++)
			if (raw.p[i] == '+')
				raw.p[i] = ' ';
		good = percent_decode(value, raw.p, len) == 0;
		value->len = good ? value->len : 0;
		buf_free(&raw);
	}
	buf_str(value);
	return good;
}

void
see(struct call *c, const char *path, const char *did)
{
	struct buf to = BUF_INIT;

	buf_adds(&to, path);
	if (did)
		buf_addf(&to, "%cdid=%s", strchr(path, '?') ? '&' : '?', did);
	if (c->route->scope != SCOPE_NONE && c->tenant && strcmp(c->who.tenant, "*") == 0) {
		buf_addf(&to, "%ctenant=", strchr(to.p, '?') ? '&' : '?');
		percent_encode(&to, c->tenant, strlen(c->tenant));
	}
	web_add(c->r, "Location", buf_str(&to));
	web_answer(c->r, 303, NULL, NULL);
	buf_free(&to);
}
