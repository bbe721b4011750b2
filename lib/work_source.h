/* work_source.h - what the answers of OpenAlex, Unpaywall and CORE say of a work,
 * field by field. Each reads any bytes; what is not as documented is left out. */
#ifndef WORK_SOURCE_H
#define WORK_SOURCE_H

#include "work.h"

enum work_answer {
	WORK_FOUND,
	WORK_NONE,      /* it does not know this DOI */
	WORK_BAD        /* not an answer of this service: torn, or another page */
};

/* GET /works/doi:DOI */
enum work_answer work_openalex(struct work *w, const char *p, size_t len);
/* GET /v2/DOI */
enum work_answer work_unpaywall(struct work *w, const char *p, size_t len);
/* GET /v3/search/works/?q=doi:"DOI". fulltext (may be NULL) gets the text of it
 * where there is one. */
enum work_answer work_core(struct work *w, const char *p, size_t len, struct buf *fulltext);

/* What they share. An object's members in *r. NULL is fine. */
bool work_object(struct rec *r, const struct rec_member *m);
/* Appends the array of names that items of m give: the member called name of each, or
 * of the object inside in it (in may be NULL). */
void work_names_of(struct buf *out, const struct rec_member *m, const char *in, const char *name);

/* Appends the text of OpenAlex's abstract_inverted_index: {"word":[positions]}. */
void work_abstract(struct buf *out, const struct rec_member *m);

#endif
