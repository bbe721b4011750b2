#include "index/wrap.h"

#include <stdint.h>
#include <wchar.h>

#include "json.h"

struct page {
	struct buf *out;
	unsigned indent, width, lines;  /* lines: still to fill */
	unsigned col;                   /* columns filled of this line */
	bool begun;                     /* this line has its indent */
	bool bold, on, cut;
};

static uint32_t
code_point(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = u[0] & mask[n];
	size_t k;

	for (k = 1; k < n; k++)
		c = c << 6 | (u[k] & 0x3f);
	return c;
}

/* Invisible characters that steer a terminal or reorder its text. */
static bool
steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static bool
blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x2028 || c == 0x2029;
}

/* The next character: its bytes, its code point; 1 and U+FFFD where broken. */
static size_t
next(const char *p, const char *end, uint32_t *c)
{
	size_t n = utf8_len(p, end);

	*c = n ? code_point(p, n) : 0xfffd;
	return n ? n : 1;
}

static void
mark(struct page *g, bool on)
{
	if (g->bold && on != g->on)
		buf_adds(g->out, on ? "\033[1m" : "\033[0m");
	g->on = on;
}

static void
end_line(struct page *g)
{
	bool on = g->on;

	if (!g->begun)
		return;
	mark(g, false);
	buf_addc(g->out, '\n');
	g->on = on;
	g->begun = false;
	g->col = 0;
	if (g->lines)
		g->lines--;
}

/* Starts a line where none is begun; true when there is none left. */
static bool
begin(struct page *g)
{
	unsigned k;
	bool on = g->on;

	if (g->begun)
		return false;
	if (!g->lines)
		return true;
	for (k = 0; k < g->indent; k++)
		buf_addc(g->out, ' ');
	g->begun = true;
	g->on = false;
	mark(g, on);
	return false;
}

static unsigned
columns(uint32_t c)
{
	int w = wcwidth((wchar_t)c);

	return w < 0 ? 1 : (unsigned)w;
}

/* One word, p to end, that is wide columns. */
static void
word(struct page *g, const char *p, const char *end, unsigned wide)
{
	uint32_t c;
	size_t n;

	if (g->col && g->col + 1 + wide > g->width)
		end_line(g);
	if (g->col) {
		buf_addc(g->out, ' ');
		g->col++;
	}
	for (; p < end; p += n) {
		n = next(p, end, &c);
		if (c == WRAP_ON || c == WRAP_OFF) {
			if (!begin(g))
				mark(g, c == WRAP_ON);
			continue;
		}
		if (steers(c))
			continue;
		if (g->col && g->col + columns(c) > g->width)
			end_line(g);
		if (begin(g)) {
			g->cut = true;
			return;
		}
		if (c == 0xfffd)
			buf_adds(g->out, "\357\277\275");
		else
			buf_add(g->out, p, n);
		g->col += columns(c);
	}
}

void
wrap_text(struct buf *out, const char *text, size_t len, unsigned indent, unsigned width,
    unsigned lines, bool bold)
{
	struct page g = { .out = out, .indent = indent, .width = width, .lines = lines, .bold = bold };
	const char *p = text, *end = text + len, *from;
	unsigned wide;
	uint32_t c;
	size_t n;

	while (p < end) {
		for (; p < end && (n = next(p, end, &c), blank(c)); p += n)
			;
		from = p;
		for (wide = 0; p < end && (n = next(p, end, &c), !blank(c)); p += n)
			wide += steers(c) ? 0 : columns(c);
		if (wide && (g.lines || g.begun))
			word(&g, from, p, wide);
		if (wide && !g.lines)
			break;
	}
	end_line(&g);
	while (p < end && (n = next(p, end, &c), blank(c)))
		p += n;
	if ((p < end || g.cut) && out->len && out->p[out->len - 1] == '\n') {
		out->len--;
		buf_adds(out, " ...\n");
	}
}

void
wrap_line(struct buf *out, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	uint32_t c;
	size_t n;

	for (; p < end; p += n) {
		n = next(p, end, &c);
		if (blank(c))
			buf_addc(out, ' ');
		else if (c == 0xfffd)
			buf_adds(out, "\357\277\275");
		else if (!steers(c))
			buf_add(out, p, n);
	}
}
