/* blobtest - the contract of blob.h, one call after the other: each argument is a call on
 * SLUICE_BLOBS, its result one line. Without arguments: lists of objects as XML. Run by
 * t/0370-blob-s3.t.
 *     put:TEXT has:HEX get:HEX get:HEX:MAX drop:HEX:SECOND forget:HEX:SECOND old:SECOND
 *     aside:SECOND file
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "blob.h"
#include "blob_xml.h"
#include "tap.h"

static struct blob b = BLOB_INIT;
static struct buf got;

static void
show(void *ctx, const char *hex)
{
	(void)ctx;
	printf("%s\n", hex);
}

static void
result(int r)
{
	if (r < 0)
		printf("%s: %s\n", strerrorname_np(errno), blob_why());
	else
		printf("%d\n", r);
}

static void
call(char *text)
{
	char none[] = "", *name = strsep(&text, ":"), *hex = text ? strsep(&text, ":") : none, sum[SHA256_HEX];
	int64_t at = strtoll(text ? text : hex, NULL, 10);
	int r;

	if (!strcmp(name, "put")) {
		if ((r = blob_put(&b, hex, strlen(hex), sum)) == 0)
			printf("%s\n", sum);
		else
			result(r);
	} else if (!strcmp(name, "has")) {
		result(blob_has(&b, hex));
	} else if (!strcmp(name, "get")) {
		got.len = 0;
		buf_adds(&got, "before:");
		if ((r = blob_get(&b, hex, text ? (size_t)at : 1000, &got)) == 0)
			printf("%s\n", buf_str(&got));
		else
			result(got.len == 7 ? r : -99);
	} else if (!strcmp(name, "drop")) {
		result(blob_drop(&b, hex, at));
	} else if (!strcmp(name, "forget")) {
		result(blob_forget(&b, hex, at));
	} else if (!strcmp(name, "old")) {
		result(blob_old(&b, at, show, NULL));
	} else if (!strcmp(name, "aside")) {
		result(blob_aside(&b, at, show, NULL));
	} else if (!strcmp(name, "file")) {
		r = blob_file(&b);
		result(r >= 0 && write(r, "x", 1) == 1 && close(r) == 0 ? 0 : -1);
	}
}

static void
note(void *ctx, const char *key, int64_t modified)
{
	buf_addf(ctx, "%s %lld\n", key, (long long)modified);
}

static void
list(const char *what, const char *xml, int want, bool want_more, const char *keys)
{
	static struct buf out;
	bool more = false;
	int r;

	out.len = 0;
	r = blob_list(xml, strlen(xml), note, &out, &more);
	if (!ok(r == want && more == want_more && !strcmp(buf_str(&out), keys), "list: %s", what))
		printf("# %d %d %s\n", r, more, buf_str(&out));
}

#define OBJECT(key, time) "<Contents><Key>" key "</Key><LastModified>" time "</LastModified><Size>1</Size></Contents>"
#define PAGE(more, s) "<ListBucketResult><IsTruncated>" more "</IsTruncated>" s "</ListBucketResult>"

static int
lists(void)
{
	struct blob_said said;

	list("one", PAGE("false", OBJECT("a/b", "1970-01-02T00:00:01.000Z")), 0, false, "a/b 86401\n");
	list("head, attributes, space, more, order", "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns='http://x/>'>\n <Prefix/> <A b=\"<c>\"></A>"
	    "<Contents>\n<LastModified>2026-11-29T21:30:00Z</LastModified><Owner><ID>Key</ID></Owner><Key>k</Key></Contents>"
	    "<IsTruncated>true</IsTruncated></ListBucketResult>\n", 0, true, "k 1795987800\n");
	list("none", PAGE("false", ""), 0, false, "");
	list("two, one without its time, one without its key", PAGE("false", OBJECT("x", "yesterday") OBJECT("y", "1970-01-01T00:00:09Z") OBJECT("", "1970-01-01T00:00:09Z")),
	    0, false, "x 0\ny 9\n");
	list("what XML writes otherwise", PAGE("false", OBJECT("&amp;a&lt;&gt;&quot;&apos;&#10;&", "")), 0, false, "&a<>\"'&#10;& 0\n");
	for (const char *const *s = (const char *const[]){ "", " ", "x", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a>x</a>y", "<!DOCTYPE a><a/>",
	    "<a><!-- --></a>", "<a><![CDATA[x]]></a>", "<a b=\"c></a>", "<a", "<a><b>x</a></b>", "<?xml", "< a></a>", "<a>x<b/></a>", "<a\x01/>",
	    "<a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a>", NULL }; *s; s++)
		list(*s, *s, -1, false, "");
	list("another document", "<Error><Code>x</Code></Error>", -1, false, "");
	list("cut off", "<ListBucketResult>" OBJECT("a", "1970-01-01T00:00:09Z") "<Contents>", -1, false, "");
	blob_said("<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>", 70, &said);
	ok(!strcmp(said.code, "NoSuchKey") && !strcmp(said.message, "There is none."), "what went wrong");
	blob_said("<html>", 6, &said);
	ok(!said.code[0] && !said.message[0], "is not always told");
	ok(blob_copied("<CopyObjectResult><LastModified>1970-01-01T00:00:09.500Z</LastModified></CopyObjectResult>", 90) == 9, "when it was copied");
	return tap_end();
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return lists();
	if (blob_open(&b, arg_env("SLUICE_BLOBS", "")) < 0) {
		result(-1);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		call(argv[i]);
		fflush(stdout);
	}
	blob_close(&b);
	buf_free(&got);
	return 0;
}
