#include "oauth.h"

#include <errno.h>
#include <string.h>

#include "b64.h"
#include "rec.h"

enum { TOKEN_S = 3600, TOKEN_MAX = 8192, EARLY_S = 60 };

struct answer {
	struct oauth *o;
	struct http_result *r;
	bool done;
};

int
oauth_key(struct oauth *o, const char *path)
{
	static struct buf key;

	key.len = 0;
	if (fetch_secret(path, &key) < 0)
		return -1;
	if (!memchr(key.p, ':', key.len)) {
		errno = EINVAL;
		return -1;
	}
	buf_adds(&o->basic, "Authorization: Basic ");
	b64_encode(&o->basic, key.p, key.len);
	return 0;
}

static void
took(void *ctx, struct http_result *r)
{
	static struct rec answer;
	static struct buf token;
	struct answer *a = ctx;
	uint64_t life = TOKEN_S;

	token.len = 0;
	a->done = true;
	buf_room(&r->body, 1);
	if (r->status == 400 || r->status == 401)
		http_fail(r, "key_refused", false, "the server of tokens does not know the client");
	else if (!r->code && (rec_parse(&answer, r->body.p, r->body.len) != REC_OK ||
	    rec_str(rec_get(&answer, "access_token"), &token) < 0 || !token.len || token.len > TOKEN_MAX ||
	    strcspn(buf_str(&token), "\r\n\t ") != token.len))
		http_fail(r, "bad_answer", true, "there is no access_token in it");
	a->r->code = r->code;
	a->r->retry = r->retry;
	a->r->after_ms = r->after_ms;
	memcpy(a->r->message, r->message, sizeof r->message);
	if (r->code)
		return;
	rec_u64(rec_get(&answer, "expires_in"), &life);
	a->o->bearer.len = 0;
	buf_addf(&a->o->bearer, "Authorization: Bearer %s", token.p);
	a->o->until = time(NULL) + (time_t)(life < TOKEN_S ? life : TOKEN_S) - EARLY_S;
}

int
oauth_token(struct oauth *o, struct http_result *r)
{
	static struct buf body;
	static struct answer a;         /* outlives us, should waiting fail */
	struct fetch_request q = { .url = o->url, .header = "Content-Type: application/x-www-form-urlencoded", .done = took, .ctx = &a };

	if (time(NULL) < o->until)
		return 0;
	a = (struct answer){ o, r, false };
	body.len = 0;
	buf_addf(&body, "grant_type=client_credentials&scope=%s", o->scope);
	q.body = body.p;
	q.body_len = body.len;
	q.secret = buf_str(&o->basic);
	fetch_start(o->f, &q);
	while (fetch_work(o->f), !a.done)
		if (fetch_wait(o->f, -1) < 0)
			return http_fail(r, "fetch_failed", true, strerror(errno));
	return r->code ? -1 : 0;
}
