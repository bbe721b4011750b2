/* rank.h - which chunks answer a question: full text and exact cosine, blended.
 *
 *     score = (1 - a) * words + a * max(0, cosine)
 *
 * words: the full-text score of sluice.search_text, 0 to 1 (lib/ledger/
 * 0002-index.sql). cosine: of the question's vector and the chunk's, computed
 * here over every vector of the tenant: exact and linear. Both parts have a
 * fixed scale, so no rank or maximum of the result enters and a score means
 * the same in every search. This is the convex combination of Bruch, Gai and
 * Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (ACM TOIS 42,
 * 2023), with theoretical instead of observed bounds.
 *
 * Functions return pg.h's status; never print, never exit (but see mem.h).
 */
#ifndef RANK_H
#define RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"

struct rank_hit {
	int64_t document;
	int32_t i;
	float words, cosine, score;
};

struct rank {
	struct rank_hit *h;     /* owned; best first after rank_run */
	size_t n, cap;
};
#define RANK_INIT { NULL, 0, 0 }

struct rank_query {
	const char *tenant;
	const char *doc_key;    /* NULL: every document */
	const char *words;
	const char *model;
	const float *vector;    /* (dim), norm 1 */
	size_t dim;
	double a;               /* 0: words only, 1: meaning only */
};

/* Every chunk with a score above 0. */
enum pg_status rank_run(struct rank *r, struct pg *db, const struct rank_query *q);
/* Keeps the first n; of each document only its best unless all. */
void rank_cut(struct rank *r, size_t n, bool all);
void rank_free(struct rank *r);

#endif
