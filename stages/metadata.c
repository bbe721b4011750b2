/* metadata - gets a job's document as text and says what it is. See docs/metadata.1. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "stage.h"
#include "text/body.h"
#include "text/doc.h"
#include "text/lang.h"

#define STAGE "metadata/1"

static const char usage[] = "metadata [-l maxbytes] [-m maxbytes] [-t seconds]\n"
    "\n"
    "Gets the document of each job (text, path or url) as text and adds \"document\":\n"
    "title, language, type, length, sha256. Text that is not the request's own is\n"
    "added as \"content\".\n"
    "\n"
    "  -m maxbytes  the largest document, as it comes and as text (default 16M)\n"
    "  -t seconds   for a fetch, and CPU seconds for a PDF (default 60)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_DOCS names the folders that a path may lie in, separated by ':';\n"
    "SLUICE_HTTP_ALLOW networks besides public ones that a url may lead to.\n";

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct doc d;

/* An earlier attempt of ours is still right: its text has the sum that it says. */
static bool
done_before(void)
{
	static struct rec doc = REC_INIT;
	static struct buf text;
	const struct rec_member *m = rec_get(&s.rec, "document");
	char sum[SHA256_HEX];

	if (!m || rec_parse(&doc, m->val, m->val_len) != REC_OK || !rec_is(rec_get(&doc, "stage"), STAGE))
		return false;
	text.len = 0;
	if (body_text(&s.rec, &blobs, d.max, &text) != BODY_OK)
		return false;
	sha256_hex(buf_str(&text), text.len, sum);
	return rec_is(rec_get(&doc, "sha256"), sum);
}

static void
add_string(struct buf *out, const char *name, const char *p, size_t len)
{
	buf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
	json_quote(out, p, len);
}

static void
describe(struct buf *out, const struct buf *text)
{
	static struct buf title, language;
	char sum[SHA256_HEX];

	title.len = language.len = out->len = 0;
	if (rec_str(rec_get(&s.rec, "title"), &title) < 0 || !title.len)
		buf_add(&title, buf_str(&d.title), d.title.len);
	if (!title.len)
		doc_first_line(&title, text->p, text->len);
	if (rec_str(rec_get(&s.rec, "language"), &language) < 0 || !language.len)
		buf_adds(&language, lang_detect(text->p, text->len));
	buf_addc(out, '{');
	add_string(out, "title", buf_str(&title), title.len);
	add_string(out, "language", language.p, language.len);
	add_string(out, "content_type", d.content_type, strlen(d.content_type));
	buf_addf(out, ",\"length\":%zu", text->len);
	sha256_hex(text->p, text->len, sum);
	add_string(out, "sha256", sum, SHA256_HEX - 1);
	if (!d.is_text) {
		sha256_hex(d.bytes.p, d.bytes.len, sum);
		add_string(out, "source_sha256", sum, SHA256_HEX - 1);
	}
	if (d.charset && strcmp(d.charset, "utf-8") != 0)
		add_string(out, "charset", d.charset, strlen(d.charset));
	if (d.replaced)
		buf_addf(out, ",\"replaced\":%zu", d.replaced);
	if (d.pages)
		buf_addf(out, ",\"pages\":%lu", d.pages);
	add_string(out, "stage", STAGE, sizeof STAGE - 1);
	buf_addc(out, '}');
}

/* The text is too long for the record: a blob, where there is a folder for them. */
static void
emit_blob(struct rec_change *c, const struct buf *text)
{
	static struct buf ref;

	if (!arg_env("SLUICE_BLOBS", NULL)) {
		stage_error(&s, "too_large", false,
		    "the record with its text is over %zu bytes and SLUICE_BLOBS is not set", s.in.max);
		return;
	}
	ref.len = 0;
	if (body_put(&blobs, text, &ref) < 0) {
		stage_error(&s, "blob_unavailable", true, "SLUICE_BLOBS: %s", blob_why());
		return;
	}
	c[1].val = NULL;
	c[2].val = ref.p;
	c[2].len = ref.len;
	stage_edit(&s, c, 3);
}

static void
job(void)
{
	static struct buf about, content;
	struct rec_change c[3] = { { .name = "document" }, { .name = "content" }, { .name = "content_blob" } };
	const struct buf *text;

	if (done_before()) {
		stage_pass(&s);
		return;
	}
	if (doc_source(&d, &s.rec) < 0 || doc_extract(&d) < 0) {
		stage_error_rec(&s, &s.rec, d.fault.code, d.fault.retry, d.fault.after_ms, d.fault.message);
		return;
	}
	text = d.same ? &d.bytes : &d.text;
	describe(&about, text);
	c[0].val = about.p;
	c[0].len = about.len;
	if (d.same) {
		stage_edit(&s, c, 3);
		return;
	}
	content.len = 0;
	json_quote(&content, text->p, text->len);
	c[1].val = content.p;
	c[1].len = content.len;
	if (s.rec.len + about.len + content.len + 64 <= s.in.max)
		stage_edit(&s, c, 3);
	else
		emit_blob(c, text);
}

int
main(int argc, char **argv)
{
	static struct http_opts http = { .agent = "sluice-metadata" };
	int c;

	err_init("metadata");
	arg_help(argc, argv, usage);
	d.max = RECORD_MAX;
	d.limit_s = 60;
	while ((c = getopt(argc, argv, "+l:m:t:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': d.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 't': d.limit_s = arg_ulong("-t", optarg, 1, 3600); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	signal(SIGPIPE, SIG_IGN);       /* a server that hangs up is a fault of one record */
	d.roots = arg_env("SLUICE_DOCS", NULL);
	http.allow = arg_env("SLUICE_HTTP_ALLOW", NULL);
	http.max = d.max;
	http.total_ms = d.limit_s * 1000;
	d.http = http_open(&http);
	if (!d.http && errno == EINVAL)
		die(XPERM, "SLUICE_HTTP_ALLOW: not a list of networks such as 10.0.0.0/8,fd00::/8");
	if (!d.http)
		die_sys(XTEMP, "start libcurl");
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job();
	}
	return stage_end(&s);
}
