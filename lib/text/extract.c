#include <string.h>
#include <strings.h>

#include "text/charset.h"
#include "text/doc.h"
#include "text/html.h"
#include "text/sentence.h"

enum { TITLE_MAX = 200, SNIFF = 4096 };

enum form { FORM_TEXT, FORM_HTML, FORM_PDF, FORM_NONE };

/* The type without its parameters is s. */
static bool
type_is(const struct buf *t, const char *s)
{
	size_t n = strlen(s);

	return t->len >= n && strncasecmp(t->p, s, n) == 0 &&
	    (t->len == n || t->p[n] == ';' || t->p[n] == ' ' || t->p[n] == '\t');
}

/* Bytes that no text has: a NUL outside UTF-16, or many control bytes. */
static bool
binary(const char *p, size_t len)
{
	size_t n = len < SNIFF ? len : SNIFF, bad = 0;

	if (n >= 2 && (memcmp(p, "\xFF\xFE", 2) == 0 || memcmp(p, "\xFE\xFF", 2) == 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == 0)
			return true;
		bad += c < 8 || (c > 13 && c < 32 && c != 27);
	}
	return bad > n / 64;
}

static bool
pdf_sniff(const struct buf *b)
{
	return b->len >= 5 && memcmp(b->p, "%PDF-", 5) == 0;
}

/* What the type says, unless the bytes say otherwise. */
static enum form
form(const struct doc *d)
{
	const struct buf *b = &d->bytes;

	if (type_is(&d->type, "text/html") || type_is(&d->type, "application/xhtml+xml"))
		return d->is_text || !pdf_sniff(b) ? FORM_HTML : FORM_PDF;
	if (d->is_text) {
		if (!d->type.len)
			return html_sniff(b->p, b->len) ? FORM_HTML : FORM_TEXT;
		return type_is(&d->type, "application/pdf") ? FORM_NONE : FORM_TEXT;
	}
	if (type_is(&d->type, "application/pdf") || pdf_sniff(b))
		return FORM_PDF;
	if (binary(b->p, b->len))
		return FORM_NONE;
	/* Servers say text/plain of a file that they do not know. */
	return html_sniff(b->p, b->len) ? FORM_HTML : FORM_TEXT;
}

static bool
blank(const char *p, size_t len)
{
	size_t i = 0, n;

	while (i < len && (n = sentence_space(p + i, p + len)))
		i += n;
	return i == len;
}

static void
decode(struct doc *d, struct buf *out, bool html)
{
	const char *label;
	size_t len = 0;
	const char *declared = NULL;
	struct charset c;

	label = charset_of_type(buf_str(&d->type), d->type.len, &len);
	if (label)
		declared = charset_name(label, len);
	if (!declared && html && (label = html_charset(d->bytes.p, d->bytes.len, &len))) {
		declared = charset_name(label, len);
		/* A page whose <meta> we could read is not UTF-16. */
		if (declared && strncmp(declared, "utf-16", 6) == 0)
			declared = "utf-8";
	}
	charset_decode(out, d->bytes.p, d->bytes.len, declared, &c);
	d->charset = c.name;
	d->replaced = c.replaced;
}

static int
from_html(struct doc *d)
{
	static struct buf utf8;
	const struct buf *in = &d->bytes;

	d->content_type = "text/html";
	if (!d->is_text) {
		utf8.len = 0;
		decode(d, &utf8, true);
		in = &utf8;
	}
	html_text(&d->text, &d->title, in->p, in->len);
	return 0;
}

static int
from_text(struct doc *d)
{
	d->content_type = "text/plain";
	if (type_is(&d->type, "text/markdown"))
		d->content_type = "text/markdown";
	if (d->is_text)
		d->same = true;
	else
		decode(d, &d->text, false);
	return 0;
}

int
doc_extract(struct doc *d)
{
	const struct buf *t;
	int r = -1;

	buf_str(&d->bytes);
	if (blank(d->bytes.p, d->bytes.len))
		return doc_fail(d, "empty_document", false, "the document is empty");
	switch (form(d)) {
	case FORM_HTML: r = from_html(d); break;
	case FORM_TEXT: r = from_text(d); break;
	case FORM_PDF: r = pdf_extract(d); break;
	case FORM_NONE:
		return doc_fail(d, "unsupported_type", false, "no text can be made of %s%.100s",
		    d->type.len ? "content_type " : "these bytes", d->type.len ? buf_str(&d->type) : "");
	}
	if (r < 0)
		return -1;
	t = d->same ? &d->bytes : &d->text;
	if (blank(t->p, t->len))
		return doc_fail(d, d->pages || d->content_type[0] == 'a' ? "no_text" : "empty_document", false,
		    "there is no text in the document");
	if (t->len > d->max)
		return doc_fail(d, "too_large", false, "the text is over %zu bytes", d->max);
	return 0;
}

void
doc_first_line(struct buf *out, const char *text, size_t len)
{
	size_t i = 0, n, end, cut = 0, space;

	while (i < len && ((n = sentence_space(text + i, text + len)) || text[i] == '#' || text[i] == '='))
		i += n ? n : 1;
	for (end = i; end < len && text[end] != '\n' && text[end] != '\r' && text[end] != '\f' &&
	    end - i <= TITLE_MAX; end++)
		if ((space = sentence_space(text + end, text + len)) && end > i)
			cut = end;
	if (end - i <= TITLE_MAX) {
		buf_add(out, text + i, sentence_trim(text + i, end - i));
		return;
	}
	if (!cut)
		for (cut = i + TITLE_MAX; cut > i && ((unsigned char)text[cut] & 0xC0) == 0x80; cut--)
			;
	buf_add(out, text + i, sentence_trim(text + i, cut - i));
	buf_adds(out, "\xE2\x80\xA6");
}
