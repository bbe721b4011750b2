#include "lexicon/lexmake.h"

#include <stdlib.h>
#include <string.h>

#include "lexicon/lexhash.h"
#include "lexicon/lexwords.h"

enum { MOST_TERMS = 100000000, CAPITALS = 5 };

/* Capitals and digits only, and few of them: "ALL", "HIV-1". */
static bool
abbreviation(const char *p, size_t len)
{
	unsigned capitals = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			capitals++;
		else if (!strchr("0123456789-", p[i]))
			return false;
	}
	return capitals && capitals <= CAPITALS;
}

/* The words of a term at the end of seq. */
static enum lex_made
put_words(struct lex_make *m, const struct lex_row *row, unsigned *n)
{
	struct lex_words text;
	static struct lex_token w;
	unsigned letters = 0, digits = 0;

	lex_words_of(&text, row->term, row->term_len);
	for (*n = 0; lex_next(&text, &w); ++*n) {
		uint32_t word;

		if (*n == LEX_TERM_WORDS || !w.n)
			return LEX_LONG;
		word = lex_intern(&m->words, w.w, w.n, w.hash);
		if (word == UINT32_MAX)
			return LEX_FULL;
		if (m->seq_n + *n == m->seq_cap) {
			m->seq_cap = m->seq_cap ? 2 * m->seq_cap : 4096;
			m->seq = mem_array(m->seq, m->seq_cap, sizeof *m->seq);
		}
		m->seq[m->seq_n + *n] = word;
		letters += w.letters;
		for (unsigned i = 0; i < w.n; i++)
			digits += w.w[i] >= '0' && w.w[i] <= '9';
	}
	return letters && letters + digits >= m->letters ? LEX_ADDED : LEX_SHORT;
}

/* Its name is the one of the least rank; of equal ones the first. */
static enum lex_made
put_concept(struct lex_make *m, const struct lex_row *row, uint32_t *concept)
{
	const char *name = row->name ? row->name : row->term;
	size_t len = row->name ? row->name_len : row->term_len;
	uint32_t known = m->ids.n, c;

	c = *concept = lex_intern(&m->ids, row->concept, row->concept_len, lex_hash(row->concept, row->concept_len));
	if (c == UINT32_MAX || m->names.len + len >= UINT32_MAX)
		return LEX_FULL;
	if (c == m->name_cap) {
		m->name_cap = m->name_cap ? 2 * m->name_cap : 1024;
		m->name = mem_array(m->name, m->name_cap, sizeof *m->name);
	}
	if (c < known && m->name[c].rank <= row->rank)
		return LEX_ADDED;
	m->name[c].at = (uint32_t)m->names.len;
	m->name[c].len = (uint32_t)len;
	m->name[c].rank = row->rank;
	buf_add(&m->names, name, len);
	return LEX_ADDED;
}

enum lex_made
lex_make_add(struct lex_make *m, const struct lex_row *row)
{
	struct lex_made_term *t;
	unsigned n;
	uint32_t concept;
	enum lex_made st = put_words(m, row, &n);

	if (st == LEX_ADDED)
		st = put_concept(m, row, &concept);
	if (st != LEX_ADDED)
		return st;
	if (m->n >= MOST_TERMS || m->seq_n + n >= UINT32_MAX)
		return LEX_FULL;
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 4096;
		m->term = mem_array(m->term, m->cap, sizeof *m->term);
	}
	t = &m->term[m->n];
	t->seq = (uint32_t)m->seq_n;
	t->concept = concept;
	t->order = (uint32_t)m->n++;
	t->rank = (uint16_t)(row->rank < UINT16_MAX ? row->rank : UINT16_MAX);
	t->n = (unsigned char)n;
	t->flags = m->abbreviations && abbreviation(row->term, row->term_len) ? LEX_ABBREVIATION : 0;
	m->seq_n += n;
	return LEX_ADDED;
}

void
lex_make_free(struct lex_make *m)
{
	lex_strings_free(&m->words);
	lex_strings_free(&m->ids);
	buf_free(&m->names);
	free(m->name);
	free(m->seq);
	free(m->term);
	memset(m, 0, sizeof *m);
}
