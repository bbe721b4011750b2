/* lexform.h - the files that vocabularies come in, line by line:
 *
 * rxnorm   RXNCONSO.RRF: 18 fields, each followed by '|'. English names that are
 *          not suppressed; not dose forms (DF, DFG), which would be found everywhere.
 *          The concept is the RXCUI.
 * icd11    the simple tabulation of ICD-11 MMS: fields between tabs, maybe in quotes,
 *          their names in the first line. Categories with a code, not residual ones
 *          ("other specified"), nor extension codes (chapter X: "Left", "Acute").
 *          The concept is the code.
 * tsv      concept, term and, if any, the concept's name, between tabs. Lines that
 *          begin with '#' are remarks.
 *
 * A concept's id has at most LEX_ID_MAX bytes and no control characters.
 * A line of another file is LEX_BAD with a reason; nothing else is. */
#ifndef LEXFORM_H
#define LEXFORM_H

#include "lexicon/lexmake.h"

enum lex_form { LEX_UNKNOWN, LEX_RXNORM, LEX_ICD11, LEX_TSV };

enum lex_line { LEX_ROW, LEX_SKIP, LEX_BAD };

enum { LEX_FIELDS = 64, LEX_FIELD_MAX = 3000, LEX_ID_MAX = 256 };

struct lex_reader {
	enum lex_form form;     /* LEX_UNKNOWN: the first line decides */
	const char *sab;        /* rxnorm: names of this source only; NULL: all */
	unsigned long line;     /* read so far */
	int code, title, kind, residual, chapter;       /* icd11: columns, -1 for none */
	struct buf title_text;  /* owned */
	const char *why;        /* of LEX_BAD */
};
#define LEX_READER_INIT { .title_text = BUF_INIT }

/* One line, without its line feed; a mark at the file's start and a carriage return
 * at the line's end are no part of it. *row borrows from the line and from r. */
enum lex_line lex_read(struct lex_reader *r, const char *p, size_t len, struct lex_row *row);

const char *lex_form_name(enum lex_form form);
/* LEX_UNKNOWN for no such form. */
enum lex_form lex_form_of(const char *name);

#endif
