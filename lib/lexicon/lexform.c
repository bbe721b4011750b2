#include "lexicon/lexform.h"

#include <string.h>

#include "text/charset.h"

struct field {
	const char *p;
	size_t len;
};

static const char *const names[] = { NULL, "rxnorm", "icd11", "tsv" };

const char *
lex_form_name(enum lex_form form)
{
	return names[form];
}

enum lex_form
lex_form_of(const char *name)
{
	for (int i = LEX_RXNORM; i <= LEX_TSV; i++)
		if (strcmp(names[i], name) == 0)
			return (enum lex_form)i;
	return LEX_UNKNOWN;
}

static enum lex_line
bad(struct lex_reader *r, const char *why)
{
	r->why = why;
	return LEX_BAD;
}

static bool
is(const struct field *f, const char *s)
{
	return f->len == strlen(s) && memcmp(f->p, s, f->len) == 0;
}

/* At most LEX_FIELDS; what is behind them is not looked at. */
static int
split(struct field *f, const char *p, size_t len, char by)
{
	const char *end = p + len, *stop;
	int n = 0;

	do {
		stop = memchr(p, by, (size_t)(end - p));
		f[n].p = p;
		f[n].len = (size_t)((stop ? stop : end) - p);
		n++;
		p = stop ? stop + 1 : end;
	} while (stop && n < LEX_FIELDS);
	return n;
}

static struct field
unquoted(struct field f)
{
	if (f.len >= 2 && f.p[0] == '"' && f.p[f.len - 1] == '"') {
		f.p++;
		f.len -= 2;
	}
	return f;
}

/* What a name says about a concept: ingredients before brands before packs. */
static unsigned
rank(const struct field *sab, const struct field *tty)
{
	static const char *const best[] = { "IN", "PIN", "MIN", "BN", "SCD", "SBD", "GPCK", "BPCK", "SCDG", "SBDG", "SCDC",
	    "SBDC", "SCDF", "SBDF" };

	if (is(sab, "RXNORM"))
		for (unsigned i = 0; i < sizeof best / sizeof *best; i++)
			if (is(tty, best[i]))
				return i;
	return is(sab, "RXNORM") ? 50 : 100;
}

static enum lex_line
rxnorm(struct lex_reader *r, const char *p, size_t len, struct lex_row *row)
{
	enum { RXCUI, LAT, SAB = 11, TTY, STR = 14, SUPPRESS = 16, LEAST };
	struct field f[LEX_FIELDS];
	int n = split(f, p, len, '|');

	if (n < LEAST || n > 19 || !f[RXCUI].len || !f[STR].len)
		return bad(r, "no line of RXNCONSO.RRF: 18 fields are wanted, with RXCUI and STR");
	if (!is(&f[LAT], "ENG") || !is(&f[SUPPRESS], "N") || is(&f[TTY], "DF") || is(&f[TTY], "DFG") ||
	    (r->sab && !is(&f[SAB], r->sab)))
		return LEX_SKIP;
	row->concept = f[RXCUI].p;
	row->concept_len = f[RXCUI].len;
	row->term = f[STR].p;
	row->term_len = f[STR].len;
	row->rank = rank(&f[SAB], &f[TTY]);
	return LEX_ROW;
}

static enum lex_line
icd11_columns(struct lex_reader *r, const char *p, size_t len)
{
	struct field f[LEX_FIELDS];
	int n = split(f, p, len, '\t');

	r->code = r->title = r->kind = r->residual = r->chapter = -1;
	for (int i = 0; i < n; i++) {
		f[i] = unquoted(f[i]);
		if (is(&f[i], "Code"))
			r->code = i;
		else if (is(&f[i], "Title"))
			r->title = i;
		else if (is(&f[i], "ClassKind"))
			r->kind = i;
		else if (is(&f[i], "IsResidual"))
			r->residual = i;
		else if (is(&f[i], "ChapterNo"))
			r->chapter = i;
	}
	if (r->code < 0 || r->title < 0 || r->kind < 0)
		return bad(r, "the first line does not name the columns Code, Title and ClassKind");
	return LEX_SKIP;
}

/* A title without the "- - " that shows its depth, and with its quotes halved. */
static void
title(struct buf *out, struct field f)
{
	out->len = 0;
	f = unquoted(f);
	while (f.len && (*f.p == '-' || *f.p == ' ')) {
		f.p++;
		f.len--;
	}
	for (size_t i = 0; i < f.len; i++) {
		buf_addc(out, f.p[i]);
		if (f.p[i] == '"' && i + 1 < f.len && f.p[i + 1] == '"')
			i++;
	}
}

static enum lex_line
icd11(struct lex_reader *r, const char *p, size_t len, struct lex_row *row)
{
	struct field f[LEX_FIELDS], code, chapter = { "", 0 };
	int n;

	if (r->line == 1)
		return icd11_columns(r, p, len);
	n = split(f, p, len, '\t');
	if (r->code < 0 || r->title < 0 || r->kind < 0 || n <= r->code || n <= r->title || n <= r->kind)
		return bad(r, "columns are missing, in this line or in the first");
	code = unquoted(f[r->code]);
	if (r->chapter >= 0 && r->chapter < n)
		chapter = unquoted(f[r->chapter]);
	for (int i = r->residual; i >= 0 && i < n; i = -1) {
		struct field residual = unquoted(f[i]);

		if (is(&residual, "True") || is(&residual, "TRUE"))
			return LEX_SKIP;
	}
	f[r->kind] = unquoted(f[r->kind]);
	if (!code.len || !is(&f[r->kind], "category") || is(&chapter, "X"))
		return LEX_SKIP;
	title(&r->title_text, f[r->title]);
	if (!r->title_text.len)
		return bad(r, "a category without a title");
	row->concept = code.p;
	row->concept_len = code.len;
	row->term = r->title_text.p;
	row->term_len = r->title_text.len;
	row->rank = 0;
	return LEX_ROW;
}

static enum lex_line
tsv(struct lex_reader *r, const char *p, size_t len, struct lex_row *row)
{
	struct field f[LEX_FIELDS];
	int n;

	if (!len || *p == '#')
		return LEX_SKIP;
	n = split(f, p, len, '\t');
	if (n < 2 || !f[0].len || !f[1].len)
		return bad(r, "a concept, a tab and a term are wanted");
	row->concept = f[0].p;
	row->concept_len = f[0].len;
	row->term = f[1].p;
	row->term_len = f[1].len;
	if (n > 2 && f[2].len) {
		row->name = f[2].p;
		row->name_len = f[2].len;
	}
	/* A name that is given counts more than one that is only a term. */
	row->rank = row->name ? 0 : 1;
	return LEX_ROW;
}

/* By the first line. */
static enum lex_form
guess(const char *p, size_t len)
{
	struct field f[LEX_FIELDS];
	int n = split(f, p, len, '|');

	if (n == 18 || n == 19)
		return LEX_RXNORM;
	if (memmem(p, len, "ClassKind", 9) && memchr(p, '\t', len))
		return LEX_ICD11;
	return memchr(p, '\t', len) || (len && *p == '#') ? LEX_TSV : LEX_UNKNOWN;
}

/* It becomes a key of an index in the ledger. */
static bool
id_ok(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] < ' ')
			return false;
	return len <= LEX_ID_MAX;
}

enum lex_line
lex_read(struct lex_reader *r, const char *p, size_t len, struct lex_row *row)
{
	enum lex_line st;

	if (len && p[len - 1] == '\r')
		len--;
	if (!r->line++ && len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		len -= 3;
	}
	if (!charset_utf8(p, len) || memchr(p, 0, len))
		return bad(r, "no UTF-8, or a NUL in it");
	if (r->form == LEX_UNKNOWN && (r->form = guess(p, len)) == LEX_UNKNOWN)
		return bad(r, "the first line is none of RXNCONSO.RRF, of ICD-11's tabulation or of a table with tabs");
	memset(row, 0, sizeof *row);
	st = r->form == LEX_RXNORM ? rxnorm(r, p, len, row) : r->form == LEX_ICD11 ? icd11(r, p, len, row) : tsv(r, p, len, row);
	if (st == LEX_ROW && !id_ok(row->concept, row->concept_len))
		return bad(r, "a concept of more than 256 bytes, or with control characters");
	if (st == LEX_ROW && (row->term_len > LEX_FIELD_MAX || row->name_len > LEX_FIELD_MAX))
		return bad(r, "a field of more than 3000 bytes");
	return st;
}
