/* map - finds the terms of vocabularies in a job's text. See docs/map.1. */
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "lexicon/lexset.h"
#include "stage.h"
#include "text/body.h"

#define STAGE "map/1"

static const char usage[] = "map [-d folder] [-l maxbytes] [-v names]\n"
    "\n"
    "Finds the terms of the loaded vocabularies in the text of each job (content,\n"
    "content_blob or text) and adds \"mapping\": each mention with its place and the\n"
    "concept that it means.\n"
    "\n"
    "  -d folder    where the vocabularies are (default $SLUICE_VOCABS)\n"
    "  -v names     only these, by ',' (default: all in the folder)\n"
    "  -l maxbytes  the longest record (default 16M)\n";

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct lex_set set;
static struct buf text, mentions, vocabs;
static size_t found_n;

/* What made the mentions: an array, one vocabulary each. */
static void
tell_vocabs(void)
{
	vocabs.len = 0;
	buf_addc(&vocabs, '[');
	for (unsigned i = 0; i < set.n; i++)
		buf_addf(&vocabs, "%s{\"name\":\"%s\",\"sha256\":\"%s\"}", i ? "," : "", set.x[i].h->name, set.x[i].h->id);
	buf_addc(&vocabs, ']');
}

/* An abbreviation that stands in small letters is a word: "ALL" is none in "all". */
static bool
only_a_word(const struct lex *x, const struct lex_found *m)
{
	if (!(x->flags[m->term] & LEX_ABBREVIATION))
		return false;
	for (size_t i = m->start; i < m->end; i++)
		if (text.p[i] >= 'a' && text.p[i] <= 'z')
			return true;
	return false;
}

/* printf would take as long as all else that a mention takes. */
static void
add_number(size_t v)
{
	char digits[24], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(&mentions, p, (size_t)(digits + sizeof digits - p));
}

static void
found(void *ctx, unsigned i, const struct lex_found *m)
{
	const struct lex *x = &set.x[i];
	uint32_t at = x->link_at[m->term], end = x->link_at[m->term + 1];
	const char *p;
	size_t len;

	(void)ctx;
	if (at == end || only_a_word(x, m))
		return;
	buf_adds(&mentions, found_n ? ",{\"start\":" : "{\"start\":");
	add_number(m->start);
	buf_adds(&mentions, ",\"end\":");
	add_number(m->end);
	buf_adds(&mentions, ",\"text\":");
	json_quote(&mentions, text.p + m->start, m->end - m->start);
	buf_adds(&mentions, ",\"vocab\":\"");
	buf_adds(&mentions, x->h->name);
	buf_adds(&mentions, "\",\"concept\":");
	p = lex_id(x, x->link[at], &len);
	json_quote(&mentions, p, len);
	buf_adds(&mentions, ",\"name\":");
	p = lex_name(x, x->link[at], &len);
	json_quote(&mentions, p, len);
	for (uint32_t k = at + 1; k < end; k++) {
		buf_adds(&mentions, k == at + 1 ? ",\"also\":[" : ",");
		p = lex_id(x, x->link[k], &len);
		json_quote(&mentions, p, len);
	}
	buf_adds(&mentions, end > at + 1 ? "]}" : "}");
	found_n++;
}

/* An earlier attempt of ours is still right: the same text and vocabularies. */
static bool
done_before(const char *sum)
{
	static struct rec was = REC_INIT;
	const struct rec_member *m = rec_get(&s.rec, "mapping"), *v;

	if (!m || m->type != '{' || rec_parse(&was, m->val, m->val_len) != REC_OK || !rec_is(rec_get(&was, "stage"), STAGE) ||
	    !rec_is(rec_get(&was, "text"), sum))
		return false;
	v = rec_get(&was, "vocabs");
	return v && v->val_len == vocabs.len && memcmp(v->val, vocabs.p, vocabs.len) == 0 &&
	    (rec_get(&was, "mentions") || rec_get(&was, "mentions_blob"));
}

/* The mentions by the name of their bytes; 0, or -1 answered. */
static int
put_blob(struct buf *out)
{
	char hex[SHA256_HEX];

	if (!arg_env("SLUICE_BLOBS", NULL)) {
		stage_error(&s, "too_large", false, "the record with its %zu mentions is over %zu bytes and SLUICE_BLOBS is not set",
		    found_n, s.in.max);
		return -1;
	}
	buf_addc(&mentions, ']');
	if (body_blobs(&blobs) < 0 || blob_put(&blobs, mentions.p, mentions.len, hex) < 0) {
		stage_error(&s, "blob_unavailable", true, "SLUICE_BLOBS: %s", blob_why());
		return -1;
	}
	buf_addf(out, "\"mentions_blob\":{\"sha256\":\"%s\",\"length\":%zu}", hex, mentions.len);
	return 0;
}

static void
tell(const char *sum)
{
	static struct buf mapping;
	struct rec_change c = { .name = "mapping" };

	mapping.len = 0;
	buf_addf(&mapping, "{\"text\":\"%s\",\"vocabs\":", sum);
	buf_add(&mapping, vocabs.p, vocabs.len);
	buf_addf(&mapping, ",\"n\":%zu,", found_n);
	if (s.rec.len + mapping.len + mentions.len + 128 <= s.in.max) {
		buf_adds(&mapping, "\"mentions\":");
		buf_add(&mapping, mentions.p, mentions.len);
		buf_addc(&mapping, ']');
	} else if (put_blob(&mapping) < 0) {
		return;
	}
	buf_adds(&mapping, ",\"stage\":\"" STAGE "\"}");
	c.val = mapping.p;
	c.len = mapping.len;
	stage_edit(&s, &c, 1);
}

static void
job(void)
{
	static struct fault f;
	char sum[SHA256_HEX];

	text.len = 0;
	switch (body_text(&s.rec, &blobs, UINT32_MAX, &text)) {
	case BODY_OK: break;
	case BODY_NONE:
		if (rec_get(&s.rec, "recall"))
			stage_pass(&s);         /* recall has said why there is none */
		else
			stage_error(&s, "no_text", false, "no content, content_blob or text");
		return;
	case BODY_BAD: stage_error(&s, "bad_blob", false, "content_blob names no blob that can be used"); return;
	case BODY_LATER: stage_error(&s, "blob_unavailable", true, "content_blob: %s", blob_why()); return;
	}
	switch (lex_set_open(&set, &f)) {
	case -1: stage_error(&s, "vocabulary_unavailable", true, "%s", f.text); return;
	case 1: tell_vocabs(); break;
	default: break;
	}
	sha256_hex(buf_str(&text), text.len, sum);
	if (done_before(sum)) {
		stage_pass(&s);
		return;
	}
	mentions.len = found_n = 0;
	buf_addc(&mentions, '[');
	lex_set_find(&set, text.p, text.len, found, NULL);
	tell(sum);
}

int
main(int argc, char **argv)
{
	static struct fault f;
	int c;

	err_init("map");
	arg_help(argc, argv, usage);
	set.folder = arg_env("SLUICE_VOCABS", NULL);
	while ((c = getopt(argc, argv, "+d:l:v:")) != -1)
		switch (c) {
		case 'd': set.folder = optarg; break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'v': set.only = optarg; break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	if (!set.folder)
		die(XPERM, "no folder of vocabularies is named: -d, or SLUICE_VOCABS");
	if (lex_set_open(&set, &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s", f.text);
	tell_vocabs();
	if (!set.n)
		warn("no vocabulary is loaded in %s: nothing will be found (sluice vocab load)", set.folder);
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job();
	}
	return stage_end(&s);
}
