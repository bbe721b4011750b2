/* work.h - the member "work" (stream(7)): what is known about a published work,
 * put together from several sources, each value with the source that it came from.
 *
 * A source fills what is not known yet; what is known stays. "Closed" is no
 * knowledge against open access, so a source that found the work open is
 * believed. Candidates for its PDF are all kept, once each by URL, and printed
 * best first. Everything is owned; use it again after work_reset.
 * Functions return a status, never print, never exit (but see mem.h).
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

enum work_field {       /* in the order in which they are printed; work_names has their names */
	WORK_TITLE, WORK_AUTHORS, WORK_YEAR, WORK_VENUE, WORK_LICENSE, WORK_OA_STATUS, WORK_IS_OA,
	WORK_LANGUAGE, WORK_TYPE, WORK_ABSTRACT, WORK_FIELDS
};

extern const char *const work_names[WORK_FIELDS];

enum {
	WORK_PDFS = 64,         /* candidates; more are left out */
	WORK_AUTHORS_MAX = 1000,
	WORK_TEXT_MAX = 1 << 20,        /* bytes of one value */
	WORK_SOURCES = 8
};

struct work_pdf {
	struct buf url, version, license, host_type, source;
	bool best;              /* the source's own choice */
};

struct work {
	struct buf doi;
	struct buf value[WORK_FIELDS];  /* JSON; empty: not known */
	struct buf from[WORK_FIELDS];
	struct work_pdf pdf[WORK_PDFS];
	size_t pdfs;
	struct buf ids;         /* members of "ids", each with a comma before it */
	struct buf asked;       /* members of "asked", the same */
	struct buf content;     /* the source that the record's content came from, or empty */
};

void work_reset(struct work *w);
void work_free(struct work *w);

/* Reads the member as an earlier adapter left it. 0, or -1: it is none, or not in
 * the form that work_print gives it, and *w is as after work_reset. */
int work_read(struct work *w, const struct rec_member *m);
/* Appends it as JSON. */
void work_print(struct buf *out, const struct work *w);

/* Appends m without the source of the record's content. False: it names none. */
bool work_without_content(struct buf *out, const struct rec_member *m);

enum work_asked {
	WORK_UNASKED,
	WORK_FAILED,    /* it could not be asked, and may be asked again */
	WORK_ASKED
};
enum work_asked work_asked(const struct work *w, const char *source);
/* Notes what came of asking it: "found", "not_found", "skipped", "failed", in place of what was noted
 * before. why (may be NULL): a code; again: it may be asked again; at: seconds since 1970. */
void work_ask(struct work *w, const char *source, const char *outcome, const char *why, bool again, int64_t at);

/* Each does nothing when there is nothing in m, or the value is known. */
void work_string(struct work *w, enum work_field f, const char *source, const struct rec_member *m);
void work_text(struct work *w, enum work_field f, const char *source, const char *p, size_t len);
void work_year(struct work *w, const char *source, const struct rec_member *m);
void work_open(struct work *w, const char *source, const struct rec_member *is_oa);
/* names: a JSON array of strings, as text. */
void work_authors(struct work *w, const char *source, const struct buf *names);
void work_id(struct work *w, const char *name, const struct rec_member *m);

/* A candidate, unless it is no http or https URL or there already. Each member may be NULL. */
void work_pdf(struct work *w, const char *source, const struct rec_member *url, const struct rec_member *version,
    const struct rec_member *license, const struct rec_member *host_type, bool best);

/* Title, authors and year are known, and has_pdf: the document is there, or a place that may have its
 * PDF is known. Asking further sources would add nothing that is needed. */
bool work_enough(const struct work *w, bool has_pdf);

#endif
