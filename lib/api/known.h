/* known.h - tokens that were asked with: what the ledger said, and what they have used up. */
#ifndef KNOWN_H
#define KNOWN_H

#include "api/api.h"

struct known {
	unsigned char hash[32];
	struct who who;
	int64_t asked_at, used_at;      /* now_ms; used_at 0: free */
	double left;                    /* requests that may be made at once */
	int64_t left_at;
};

/* A token's place; one that was not used for longest is given up for it. */
struct known *known_place(const unsigned char *hash);
/* The token that a request came with, as it stands there; NULL: none. */
const char *known_token(const struct web_req *r, size_t *len);

#endif
