/* chunk - cuts a job's text into chunks sized in the model's tokens. See docs/chunk.1. */
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "embed/where.h"
#include "err.h"
#include "stage.h"
#include "text/body.h"
#include "text/cut.h"
#include "text/layout.h"
#include "text/lines.h"

static const char usage[] = "chunk [-l maxbytes] [-M folder] [-n tokens] [-o percent]\n"
    "\n"
    "Cuts the text of each job (content, content_blob or text) into chunks along\n"
    "paragraphs and sentences, and along sections and tables where there is a layout:\n"
    "one line per chunk, then the job's own line with \"chunks\".\n"
    "\n"
    "  -n tokens    most tokens of a chunk, with [CLS] and [SEP]: 64-512 (default 256)\n"
    "  -o percent   how much of a chunk repeats the end of the one before: 0-50\n"
    "               (default 12.5)\n"
    "  -M folder    the model's folder, for its vocab.txt (default $SLUICE_MODEL)\n"
    "  -l maxbytes  the longest record (default 16M)\n";

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct buf text, head, line;
static struct layout layout = LAYOUT_INIT;
static struct lines_how how = { .tokens = 256, .overlap = 0.125 };

/* What is left of a line for a chunk's text, escaped, beside its envelope. */
static bool
head_fits(size_t longest)
{
	if (head.len + longest <= s.in.max)
		return true;
	stage_error(&s, "too_large", false, "a chunk with the job's envelope is over %zu bytes", s.in.max);
	return false;
}

/* Puts the job's own line into s.work; false when it is too long, answered. */
static bool
job_line(size_t n)
{
	static struct buf chunks;
	struct rec_change c = { .name = "chunks" };

	chunks.len = s.work.len = 0;
	lines_chunks(&chunks, n, &how);
	c.val = chunks.p;
	c.len = chunks.len;
	rec_edit(&s.work, &s.rec, &c, 1);
	if (s.work.len <= s.in.max)
		return true;
	stage_error(&s, "too_large", false, "the output is %zu bytes, the limit is %zu", s.work.len, s.in.max);
	return false;
}

/* Tells the kept chunks again. False: they are none of ours after all, and
 * nothing was told. */
static bool
tell_again(const struct lines_kept *k)
{
	size_t n = k->items.n;

	for (size_t i = 0; i < n; i++) {
		line.len = 0;
		if (lines_again(&line, &head, k, i) < 0 || line.len > s.in.max)
			return false;
	}
	if (!job_line(n))
		return true;
	for (size_t i = 0; i < n; i++) {
		line.len = 0;
		lines_again(&line, &head, k, i);
		stage_emit(&s, line.p, line.len);
	}
	stage_emit(&s, s.work.p, s.work.len);
	return true;
}

static void
tell(const struct vocab *v)
{
	static struct plan plan = PLAN_INIT;
	unsigned limit = how.tokens - WORDPIECE_FRAME;

	if (cut_text(v, text.p, text.len, &layout, limit, (unsigned)(limit * how.overlap), &plan) < 0)
		stage_error(&s, "too_large", false, "the text is %zu bytes", text.len);
	else if (!plan.n)
		stage_error(&s, "empty_document", false, "the text has nothing that the model reads");
	/* Six bytes for each that is escaped, the section's path, and the numbers. */
	else if (head_fits((size_t)limit * PLAN_BYTES * 2 * 6 + layout_longest(&layout) + 256) && job_line(plan.n)) {
		for (size_t i = 0; i < plan.n; i++) {
			line.len = 0;
			lines_chunk(&line, &head, &plan.c[i], i, plan.n, text.p, &layout);
			stage_emit(&s, line.p, line.len);
		}
		stage_emit(&s, s.work.p, s.work.len);
	}
}

/* What came of reading the text or a blob. False: answered. */
static bool
got(enum body_status st, const char *name)
{
	if (st == BODY_NONE)
		stage_error(&s, "no_text", false, "no content, content_blob or text");
	else if (st == BODY_BAD)
		stage_error(&s, "bad_blob", false, "%s names no blob that can be used", name);
	else if (st == BODY_LATER)
		stage_error(&s, "blob_unavailable", true, "%s: %s", name, blob_why());
	return st == BODY_OK;
}

/* The layout, if the text has one. False: answered. */
static bool
get_layout(void)
{
	static struct buf json;
	const struct rec_member *ref = rec_get(&s.rec, "layout_blob"), *m = rec_get(&s.rec, "layout");

	json.len = layout.n = 0;
	how.layout[0] = '\0';
	if (m)
		buf_add(&json, m->val, m->val_len);
	else if (ref && !got(body_blob(ref, &blobs, UINT32_MAX, &json), "layout_blob"))
		return false;
	if (!m && !ref)
		return true;
	sha256_hex(buf_str(&json), json.len, how.layout);
	if (layout_parse(&layout, json.p, json.len, text.len) == 0)
		return true;
	stage_error(&s, "bad_layout", false, "layout is no list of pieces of the text, in order");
	return false;
}

static void
job(const struct vocab *v)
{
	static struct lines_kept kept = LINES_KEPT_INIT;

	text.len = head.len = 0;
	if (!got(body_text(&s.rec, &blobs, UINT32_MAX, &text), "content_blob") || !get_layout())
		return;
	sha256_hex(buf_str(&text), text.len, how.text);
	lines_head(&head, &s.rec);
	if (lines_kept(&kept, rec_get(&s.rec, "chunks"), &how)) {
		if (!kept.items.n && rec_get(&s.rec, "index")) {
			stage_pass(&s);         /* indexed, its chunks are not needed any more */
			return;
		}
		if (kept.items.n && tell_again(&kept))
			return;
	}
	tell(v);
}

int
main(int argc, char **argv)
{
	static struct vocab v = VOCAB_INIT;
	static struct buf dir, path;
	static struct fault f;
	const char *model = NULL;
	int c;

	err_init("chunk");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:M:n:o:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'M': model = optarg; break;
		case 'n': how.tokens = (unsigned)arg_ulong("-n", optarg, 64, 512); break;
		case 'o': how.overlap = arg_double("-o", optarg, 0, 50) / 100; break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	where_model(&dir, model);
	if (vocab_open(&v, where_file(&path, buf_str(&dir), "vocab.txt"), &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s", f.text);
	sha256_hex(v.file.p, v.file.len, how.vocab);
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job(&v);
	}
	return stage_end(&s);
}
