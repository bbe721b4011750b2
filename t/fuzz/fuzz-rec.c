/* fuzz-rec - the record scanner against yajl, which shares no code with it,
 * and the laws of splicing: adding a member and deleting it is the identity;
 * what is spliced is a record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "json.h"
#include "rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
yajl_parses(const void *data, size_t size)
{
	yajl_handle y = yajl_alloc(NULL, NULL, NULL);
	int good = yajl_parse(y, data, size) == yajl_status_ok &&
	    yajl_complete_parse(y) == yajl_status_ok;

	yajl_free(y);
	return good;
}

/* yajl lets half a token follow a value: inside an array that shows. */
static int
yajl_accepts(const void *data, size_t size)
{
	static struct buf wrapped;

	wrapped.len = 0;
	buf_addc(&wrapped, '[');
	buf_add(&wrapped, data, size);
	buf_addc(&wrapped, ']');
	return yajl_parses(data, size) && yajl_parses(wrapped.p, wrapped.len);
}

static void
check_edit(const struct rec *r, const char *text, size_t len)
{
	static struct buf with, back;
	static struct rec again;
	struct rec_change set = { "feed", "\"x\"", 3 }, del = { "feed", NULL, 0 };
	struct rec_change all[REC_CHANGES];
	static struct buf name[REC_CHANGES];
	size_t n = 0;

	with.len = back.len = 0;
	if (!rec_get(r, "feed")) {
		rec_edit(&with, r, &set, 1);
		if (rec_parse(&again, with.p, with.len) != REC_OK || !rec_is(rec_get(&again, "feed"), "x"))
			abort();
		rec_edit(&back, &again, &del, 1);
		if (back.len != len || memcmp(back.p, text, len) != 0)
			abort();
	}
	for (; n < r->n && n < REC_CHANGES; n++) {      /* delete every second, replace the others */
		name[n].len = 0;
		json_unescape(&name[n], r->m[n].key, r->m[n].key_len);
		if (memchr(name[n].p ? name[n].p : "", 0, name[n].len))
			return;
		all[n] = n % 2 ? (struct rec_change){ buf_str(&name[n]), "null", 4 } :
		    (struct rec_change){ buf_str(&name[n]), NULL, 0 };
	}
	with.len = 0;
	rec_edit(&with, r, all, n);
	if (rec_parse(&again, with.p, with.len) != REC_OK || again.n != r->n - (n + 1) / 2)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rec r;
	struct json_fault f;
	char *text = malloc(size ? size : 1);   /* exactly as long: overreads show */
	enum rec_status st;

	memcpy(text, data, size);
	st = rec_parse(&r, text, size);
	if ((st == REC_OK || st == REC_DUPLICATE || st == REC_NOT_OBJECT) && !yajl_accepts(data, size))
		abort();
	/* yajl lets through what we refuse: halves of surrogates, \v and \f as space */
	if (st == REC_SYNTAX && yajl_accepts(data, size) && !memchr(data, '\\', size) &&
	    !memchr(data, '\v', size) && !memchr(data, '\f', size) &&
	    data[0] == '{')
		abort();
	if (st == REC_OK)
		check_edit(&r, text, size);
	json_check(text, size, &f);
	free(text);
	return 0;
}
