#include "dump.h"

#include "b64.h"
#include "esc.h"
#include "json.h"

bool
dump_is_text(const char *p, size_t len)
{
	const char *end = p + len;

	while (p < end) {
		size_t n = utf8_len(p, end);
		unsigned char c = (unsigned char)*p;

		if (!n || (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
			return false;
		p += n;
	}
	return true;
}

void
dump_hex(struct buf *out, const unsigned char *p, size_t len)
{
	for (size_t at = 0; at < len; at += 16) {
		buf_addf(out, "%08zx ", at);
		for (size_t i = at; i < at + 16; i++)
			if (i < len)
				buf_addf(out, "%s%02x", i % 8 ? " " : "  ", p[i]);
			else
				buf_adds(out, i % 8 ? "   " : "    ");
		buf_adds(out, "  |");
		for (size_t i = at; i < at + 16 && i < len; i++) {
			char c = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';

			esc_html(out, &c, 1, 1);
		}
		buf_adds(out, "|\n");
	}
}

static void
show(struct buf *out, const char *p, size_t len, const char *what)
{
	bool text = dump_is_text(p, len);
	size_t most = text ? DUMP_TEXT : DUMP_HEX;

	buf_addf(out, "<h3>%s, ", what);
	fill_count(out, (double)len);
	buf_adds(out, text ? " bytes of text</h3>" : " bytes, not all of them text</h3>");
	if (len > most) {
		buf_adds(out, "<p class=\"dim\">The first ");
		fill_count(out, (double)most);
		buf_adds(out, " are here; <code>sluice dead bytes</code> has all of them.</p>");
	}
	buf_addf(out, "<pre class=\"%s\" tabindex=\"0\">", text ? "say" : "hex");
	if (text)
		esc_html(out, p, len < most ? len : most, most);
	else
		dump_hex(out, (const unsigned char *)p, len < most ? len : most);
	buf_adds(out, "</pre>");
}

void
dump_member(struct buf *out, const struct rec *r, const char *text, const char *b64, const char *what)
{
	struct buf s = BUF_INIT;
	const struct rec_member *m = rec_get(r, b64);

	if (rec_str(rec_get(r, text), &s) == 0)
		show(out, buf_str(&s), s.len, what);
	else if (m && m->type == '"' && b64_decode(&s, m->val + 1, m->val_len - 2) == 0)
		show(out, buf_str(&s), s.len, what);
	buf_free(&s);
}
