#include "fill.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esc.h"
#include "when.h"

bool
fill_rec(struct rec *r, struct page_text text)
{
	if (text.p && rec_parse(r, text.p, text.len) == REC_OK)
		return true;
	r->n = 0;
	return false;
}

static bool
parse(struct rec *r, const struct rec_member *m, char type)
{
	if (m && m->type == type &&
	    (type == '{' ? rec_parse(r, m->val, m->val_len) : rec_items(r, m->val, m->val_len)) == REC_OK)
		return true;
	r->n = 0;
	return false;
}

bool
fill_in(struct rec *r, const struct rec *from, const char *name)
{
	return parse(r, rec_get(from, name), '{');
}

bool
fill_list(struct rec *r, const struct rec *from, const char *name)
{
	return parse(r, rec_get(from, name), '[');
}

bool
fill_item(struct rec *r, const struct rec *list, size_t i)
{
	return parse(r, i < list->n ? &list->m[i] : NULL, '{');
}

bool
fill_has(const struct rec *r, const char *name)
{
	const struct rec_member *m = rec_get(r, name);

	return m && m->type != 'n' && !(m->type == '"' && m->val_len == 2);
}

double
fill_num_of(const struct rec_member *m, double none)
{
	char text[64];
	double v;

	if (!m || m->type != '0' || m->val_len >= sizeof(text))
		return none;
	memcpy(text, m->val, m->val_len);
	text[m->val_len] = '\0';
	v = strtod(text, NULL);
	return isfinite(v) ? v : none;
}

double
fill_num(const struct rec *r, const char *name, double none)
{
	return fill_num_of(rec_get(r, name), none);
}

int64_t
fill_time(const struct rec *r, const char *name)
{
	const struct rec_member *m = rec_get(r, name);

	return m && m->type == '"' ? when_us(m->val + 1, m->val_len - 2) : WHEN_NONE;
}

/* What a value means as text: borrowed from it, or from the buffer that the next call uses again. */
static struct page_text
meaning(const struct rec_member *m)
{
	static struct buf s;

	if (!m || m->type == 'n')
		return (struct page_text){ "", 0 };
	if (m->type != '"')
		return (struct page_text){ m->val, m->val_len };
	s.len = 0;
	rec_str(m, &s);
	return (struct page_text){ buf_str(&s), s.len };
}

void
fill_value(struct buf *out, const struct rec_member *m, size_t max)
{
	struct page_text t = meaning(m);

	esc_html(out, t.p, t.len, max);
}

/* At "{": past its "}". */
static const char *
fill_one(struct buf *out, const struct rec *r, const char *text)
{
	const char *end = strchr(text, '}');
	bool url = text[1] == '%';
	char name[32];
	size_t len, max = 200;

	text += 1 + url;
	len = strcspn(text, ":}");
	if (text[len] == ':')
		max = strtoul(text + len + 1, NULL, 10);
	if (len >= sizeof(name))
		len = sizeof(name) - 1;
	memcpy(name, text, len);
	name[len] = '\0';
	if (url) {
		struct page_text t = meaning(rec_get(r, name));

		esc_url(out, t.p, t.len);
	} else {
		fill_value(out, rec_get(r, name), max);
	}
	return end + 1;
}

void
fill(struct buf *out, const struct rec *r, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "{");

		buf_add(out, text, n);
		text += n;
		if (!*text)
			return;
		text = fill_one(out, r, text);
	}
}

void
fill_count(struct buf *out, double v)
{
	char text[32];
	size_t n, i;

	if (fabs(v) >= 1e15 || !isfinite(v)) {
		buf_addf(out, "%.3g", v);
		return;
	}
	if (v != floor(v)) {
		buf_addf(out, fabs(v) < 10 ? "%.2f" : "%.1f", v);
		return;
	}
	if (v < 0)
		buf_addc(out, '-');
	n = (size_t)snprintf(text, sizeof(text), "%.0f", fabs(v));
	for (i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf_addc(out, ',');
		buf_addc(out, text[i]);
	}
}
