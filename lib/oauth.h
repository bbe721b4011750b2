/* oauth.h - a token of OAuth 2.0's client credentials, asked for when there is none or the
 * last one is about to end. The client's secret comes from a file and goes to the server of
 * tokens alone. Functions return a status and never print. */
#ifndef OAUTH_H
#define OAUTH_H

#include <time.h>

#include "fetch.h"

struct oauth {
	struct fetch *f;
	const char *url, *scope;
	struct buf basic;       /* "Authorization: Basic ..." */
	struct buf bearer;      /* "Authorization: Bearer ...", or empty */
	time_t until;           /* 0: ask for another one */
};

/* The file's first line is CLIENT_ID:CLIENT_SECRET. 0, or -1 with errno (EINVAL: it is not). */
int oauth_key(struct oauth *o, const char *path);
/* Sees to it that there is a token; waits for the server where it has to. 0, or -1 with *r:
 * its code, message, retry and after_ms ("key_refused": the client is not known). */
int oauth_token(struct oauth *o, struct http_result *r);

#endif
