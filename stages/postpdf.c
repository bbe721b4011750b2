/* postpdf - makes a document of the blocks that a parser found, and of what is
 * known about it. See docs/postpdf.1. */
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "stage.h"
#include "text/blocks.h"
#include "text/body.h"
#include "text/doc.h"
#include "text/lang.h"
#include "text/merge.h"

#define STAGE "postpdf/1"

static const char usage[] = "postpdf [-l maxbytes] [-m maxbytes]\n"
    "\n"
    "Makes one text of the blocks in \"parsed\": paragraphs whole, running heads gone,\n"
    "tables as rows. Adds it as \"content\", where its pages and sections lie as\n"
    "\"layout\", and \"document\" with what the adapters know of it (\"work\").\n"
    "\n"
    "  -m maxbytes  the longest list of blocks (default 256M)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_BLOBS is the folder for what is too long for a record.\n";

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct blocks b = BLOCKS_INIT;
static struct merge known = MERGE_INIT;
static struct rec parsed = REC_INIT;
static struct buf text;
static char input[SHA256_HEX];          /* of all that the document is made of */
static size_t max = (size_t)256 << 20;

/* Reads "parsed"; false: there is none. */
static bool
get_parsed(void)
{
	const struct rec_member *m = rec_get(&s.rec, "parsed");

	if (!m || m->type != '{' || rec_parse(&parsed, m->val, m->val_len) != REC_OK)
		parsed.n = 0;
	return parsed.n > 0;
}

static void
add_to_sum(struct buf *all, const struct rec_member *m)
{
	if (m)
		buf_add(all, m->val, m->val_len);
	buf_addc(all, '\n');
}

/* What the outcome depends on, but for an earlier "document", whose values stay. */
static void
sum_input(const struct buf *found)
{
	static struct buf all;
	const struct rec_member *list = rec_get(&parsed, "blocks_blob");
	char sum[SHA256_HEX];

	if (!list)
		list = rec_get(&parsed, "blocks");
	all.len = 0;
	sha256_hex(list ? list->val : found->p, list ? list->val_len : found->len, sum);
	buf_addf(&all, "%s\n", sum);
	add_to_sum(&all, rec_get(&s.rec, "work"));
	add_to_sum(&all, rec_get(&s.rec, "title"));
	add_to_sum(&all, rec_get(&s.rec, "language"));
	add_to_sum(&all, rec_get(&s.rec, "doi"));
	sha256_hex(all.p, all.len, input);
}

/* The layout that the record has fits its text. */
static bool
laid_out(size_t text_len)
{
	static struct buf json;
	const struct rec_member *m = rec_get(&s.rec, "layout_blob"), *l = rec_get(&s.rec, "layout");

	json.len = 0;
	if (l)
		return layout_parse(&b.layout, l->val, l->val_len, text_len) == 0;
	return m && body_blob(m, &blobs, max, &json) == BODY_OK &&
	    layout_parse(&b.layout, buf_str(&json), json.len, text_len) == 0;
}

/* An earlier attempt of ours is still right. */
static bool
done_before(void)
{
	char sum[SHA256_HEX];

	if (!rec_is(rec_get(&known.doc, "stage"), STAGE) || !rec_is(rec_get(&known.doc, "input"), input))
		return false;
	text.len = 0;
	if (body_text(&s.rec, &blobs, max, &text) != BODY_OK)
		return false;
	sha256_hex(buf_str(&text), text.len, sum);
	return rec_is(rec_get(&known.doc, "sha256"), sum) && (!parsed.n || laid_out(text.len));
}

/* What came of reading a text or a blob. False: answered. */
static bool
got(enum body_status st, const char *name)
{
	if (st == BODY_LATER)
		stage_error(&s, "blob_unavailable", true, "%s: %s", name, blob_why());
	else if (st == BODY_BAD)
		stage_error(&s, "bad_blob", false, "%s names no blob that can be used", name);
	else if (st == BODY_NONE)
		stage_error(&s, "not_parsed", false, "there is neither \"parsed\" nor a text");
	return st == BODY_OK;
}

/* Fills b from the list of blocks. False: answered. */
static bool
read_blocks(const struct buf *title)
{
	static struct buf json;
	const struct rec_member *ref = rec_get(&parsed, "blocks_blob"), *m = rec_get(&parsed, "blocks");

	json.len = 0;
	if (!ref && (!m || m->type != '[')) {
		stage_error(&s, "bad_blocks", false, "parsed has neither blocks nor blocks_blob");
		return false;
	}
	if (ref && !got(body_blob(ref, &blobs, max, &json), "parsed.blocks_blob"))
		return false;
	if (blocks_read(&b, ref ? buf_str(&json) : m->val, ref ? json.len : m->val_len, title->len ? title->p : NULL,
	    title->len) < 0) {
		stage_error(&s, "bad_blocks", false, "%s", b.why);
		return false;
	}
	if (!b.text.len)
		stage_error(&s, "no_text", false, "there is no text on its pages");
	return b.text.len > 0;
}

static void
add_string(struct buf *out, const char *name, const char *p, size_t len)
{
	buf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
	json_quote(out, p, len);
}

static void
add_member(struct buf *out, const char *name, const struct rec_member *m, char type)
{
	if (!m || m->type != type)
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_add(out, m->val, m->val_len);
}

static void
describe(struct buf *out, struct buf *title, const struct buf *body)
{
	static struct buf language;
	char sum[SHA256_HEX];
	uint64_t pages;

	if (!title->len && parsed.n)
		buf_add(title, b.title.p, b.title.len);
	if (!title->len && !merge_found(title, &known))
		doc_first_line(title, body->p, body->len);
	language.len = out->len = 0;
	if (rec_str(rec_get(&s.rec, "language"), &language) < 0 || !language.len)
		buf_adds(&language, lang_detect(body->p, body->len));
	buf_addc(out, '{');
	add_string(out, "title", buf_str(title), title->len);
	add_string(out, "language", language.p, language.len);
	merge_members(out, &known, &s.rec);
	buf_addf(out, ",\"content_type\":\"%s\",\"length\":%zu", parsed.n ? "application/pdf" : "text/plain", body->len);
	sha256_hex(body->p, body->len, sum);
	add_string(out, "sha256", sum, SHA256_HEX - 1);
	if (parsed.n) {
		add_member(out, "source_sha256", rec_get(&parsed, "pdf"), '"');
		if (rec_u64(rec_get(&parsed, "pages"), &pages) == 0)
			add_member(out, "pages", rec_get(&parsed, "pages"), '0');
		else
			buf_addf(out, ",\"pages\":%u", (unsigned)b.pages);
		add_member(out, "parser", rec_get(&parsed, "engine"), '"');
	}
	add_string(out, "input", input, SHA256_HEX - 1);
	add_string(out, "stage", STAGE, sizeof(STAGE) - 1);
	buf_addc(out, '}');
}

/* Puts the bytes where c->val would be too long: c[1] gets the reference. False: answered. */
static bool
to_blob(struct rec_change *c, struct buf *ref, const struct buf *bytes)
{
	if (!arg_env("SLUICE_BLOBS", NULL)) {
		stage_error(&s, "too_large", false, "the record with its text is over %zu bytes and SLUICE_BLOBS is not set",
		    s.in.max);
		return false;
	}
	ref->len = 0;
	if (body_put(&blobs, bytes, ref) < 0) {
		stage_error(&s, "blob_unavailable", true, "SLUICE_BLOBS: %s", blob_why());
		return false;
	}
	c[0].val = NULL;
	c[1].val = ref->p;
	c[1].len = ref->len;
	return true;
}

static void
emit(const struct buf *about)
{
	static struct buf content, layout, ref, layout_ref;
	struct rec_change c[5] = { { "document", about->p, about->len }, { .name = "content" }, { .name = "content_blob" },
	    { .name = "layout" }, { .name = "layout_blob" } };
	size_t base = s.rec.len + about->len + 512;

	content.len = layout.len = 0;
	json_quote(&content, b.text.p, b.text.len);
	layout_json(&layout, &b.layout);
	c[1].val = content.p;
	c[1].len = content.len;
	c[3].val = layout.p;
	c[3].len = layout.len;
	if (base + content.len + layout.len > s.in.max && !to_blob(&c[1], &ref, &b.text))
		return;
	if (base + (c[1].val ? content.len : 0) + layout.len > s.in.max && !to_blob(&c[3], &layout_ref, &layout))
		return;
	stage_edit(&s, c, 5);
}

/* A text that came without pages: only what is known of it is added. */
static void
describe_text(struct buf *about, struct buf *title)
{
	static const struct rec_change none[] = { { "layout", NULL, 0 }, { "layout_blob", NULL, 0 } };
	struct rec_change c[3] = { { .name = "document" }, none[0], none[1] };

	describe(about, title, &text);
	c[0].val = about->p;
	c[0].len = about->len;
	stage_edit(&s, c, 3);
}

static void
job(void)
{
	static struct buf about, title;
	bool pages = get_parsed();

	text.len = title.len = 0;
	merge_read(&known, &s.rec);
	if (!pages && !got(body_text(&s.rec, &blobs, max, &text), "content_blob"))
		return;
	buf_str(&text);
	sum_input(&text);
	if (done_before()) {
		stage_pass(&s);
		return;
	}
	merge_title(&title, &known, &s.rec);
	if (!pages) {
		describe_text(&about, &title);
	} else if (read_blocks(&title)) {
		describe(&about, &title, &b.text);
		emit(&about);
	}
}

int
main(int argc, char **argv)
{
	int c;

	err_init("postpdf");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:m:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': max = arg_ulong("-m", optarg, 1, (unsigned long)1 << 31); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job();
	}
	return stage_end(&s);
}
