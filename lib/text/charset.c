#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "text/charset.h"

static const char FFFD[] = "\xEF\xBF\xBD";

/* label, canonical name; NULL stands for the label itself. */
static const struct label {
	const char *label, *name;
} labels[] = {
	{ "utf-8", NULL }, { "utf8", "utf-8" }, { "unicode-1-1-utf-8", "utf-8" },
	{ "windows-1252", NULL }, { "cp1252", "windows-1252" }, { "x-cp1252", "windows-1252" },
	{ "iso-8859-1", "windows-1252" }, { "iso8859-1", "windows-1252" },
	{ "iso_8859-1", "windows-1252" }, { "latin1", "windows-1252" }, { "l1", "windows-1252" },
	{ "ascii", "windows-1252" }, { "us-ascii", "windows-1252" }, { "ansi_x3.4-1968", "windows-1252" },
	{ "utf-16le", NULL }, { "utf-16", "utf-16le" }, { "utf-16be", NULL },
	{ "windows-1250", NULL }, { "cp1250", "windows-1250" },
	{ "windows-1251", NULL }, { "cp1251", "windows-1251" },
	{ "windows-1253", NULL }, { "windows-1254", NULL }, { "windows-1255", NULL },
	{ "windows-1256", NULL }, { "windows-1257", NULL }, { "windows-1258", NULL },
	{ "iso-8859-2", NULL }, { "latin2", "iso-8859-2" }, { "iso-8859-3", NULL },
	{ "iso-8859-4", NULL }, { "iso-8859-5", NULL }, { "iso-8859-6", NULL },
	{ "iso-8859-7", NULL }, { "iso-8859-8", NULL },
	{ "iso-8859-9", "windows-1254" }, { "latin5", "windows-1254" },
	{ "iso-8859-10", NULL }, { "iso-8859-13", NULL }, { "iso-8859-14", NULL },
	{ "iso-8859-15", NULL }, { "latin9", "iso-8859-15" }, { "iso-8859-16", NULL },
	{ "koi8-r", NULL }, { "koi8-u", NULL }, { "macintosh", NULL }, { "ibm866", NULL },
	{ "gb18030", NULL }, { "gbk", "gb18030" }, { "gb2312", "gb18030" }, { "x-gbk", "gb18030" },
	{ "big5", NULL }, { "big5-hkscs", "big5" }, { "euc-jp", NULL }, { "x-euc-jp", "euc-jp" },
	{ "shift_jis", NULL }, { "shift-jis", "shift_jis" }, { "sjis", "shift_jis" },
	{ "windows-31j", "shift_jis" }, { "euc-kr", NULL }, { "ks_c_5601-1987", "euc-kr" },
};

/* Where libc's converter has another name, or a wider one is meant. */
static const struct label converters[] = {
	{ "big5", "BIG5-HKSCS" }, { "shift_jis", "CP932" }, { "euc-kr", "CP949" },
};

/* 0x80-0x9f of windows-1252; the five holes are C1 controls, as in browsers. */
static const uint16_t cp1252[32] = {
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
};

/* How many bytes at p are valid UTF-8. */
static size_t
valid_run(const char *p, size_t len)
{
	size_t i = 0, n;

	while (i < len) {
		if ((unsigned char)p[i] < 0x80)
			i++;
		else if ((n = utf8_len(p + i, p + len)))
			i += n;
		else
			break;
	}
	return i;
}

bool
charset_utf8(const char *p, size_t len)
{
	return valid_run(p, len) == len;
}

const char *
charset_name(const char *label, size_t len)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strlen(labels[i].label) == len && strncasecmp(label, labels[i].label, len) == 0)
			return labels[i].name ? labels[i].name : labels[i].label;
	return NULL;
}

const char *
charset_of_type(const char *type, size_t len, size_t *label_len)
{
	static const char key[] = "charset=";
	size_t n = sizeof key - 1, end;

	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(type + i, key, n) != 0)
			continue;
		i += n;
		if (i < len && (type[i] == '"' || type[i] == '\''))
			i++;
		for (end = i; end < len && !strchr(" \t\r\n;,\"'>/", type[end]); end++)
			;
		*label_len = end - i;
		return type + i;
	}
	return NULL;
}

static void
from_utf8(struct buf *out, const char *p, size_t len, struct charset *c)
{
	for (;;) {
		size_t ok = valid_run(p, len);

		buf_add(out, p, ok);
		if (ok == len)
			return;
		buf_add(out, FFFD, 3);
		c->replaced++;
		p += ok + 1;
		len -= ok + 1;
	}
}

void
charset_put(struct buf *out, uint32_t u)
{
	char b[4] = { (char)(0xF0 | u >> 18), (char)(0x80 | (u >> 12 & 63)), (char)(0x80 | (u >> 6 & 63)),
	    (char)(0x80 | (u & 63)) };

	if (u < 0x80) {
		buf_addc(out, (char)u);
	} else if (u < 0x800) {
		b[2] = (char)(0xC0 | u >> 6);
		buf_add(out, b + 2, 2);
	} else if (u < 0x10000) {
		b[1] = (char)(0xE0 | u >> 12);
		buf_add(out, b + 1, 3);
	} else {
		buf_add(out, b, 4);
	}
}

static void
from_1252(struct buf *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)p[i];

		if (b < 0x80)
			buf_addc(out, p[i]);
		else
			charset_put(out, b < 0xA0 ? cp1252[b - 0x80] : b);
	}
}

/* 0, or -1 where libc lacks the converter. */
static int
from_iconv(struct buf *out, const char *p, size_t len, struct charset *c)
{
	const char *from = c->name;
	char *in = (char *)(uintptr_t)p;
	size_t unit = strncmp(from, "utf-16", 6) == 0 ? 2 : 1;
	iconv_t cd;

	for (size_t i = 0; i < sizeof converters / sizeof *converters; i++)
		if (strcmp(converters[i].label, from) == 0)
			from = converters[i].name;
	cd = iconv_open("UTF-8", from);
	if (cd == (iconv_t)-1)
		return -1;
	while (len) {
		size_t room = len * 3 / 2 + 16, left = room;
		char *to = buf_room(out, room);
		size_t r = iconv(cd, &in, &len, &to, &left);

		out->len += room - left;
		if (r != (size_t)-1)
			break;
		if (errno == E2BIG)
			continue;
		/* EILSEQ, or EINVAL for a sequence that the end cuts off. */
		buf_add(out, FFFD, 3);
		c->replaced++;
		if (len < unit)
			break;
		in += unit;
		len -= unit;
		iconv(cd, NULL, NULL, NULL, NULL);
	}
	iconv_close(cd);
	return 0;
}

/* A declared UTF-8 that isn't: a few broken places in real UTF-8, or a false
 * label? The valid multi-byte sequences tell. */
static bool
mostly_utf8(const char *p, size_t len)
{
	size_t good = 0, bad = 0, n;

	for (size_t i = 0; i < len; i += n) {
		n = 1;
		if ((unsigned char)p[i] < 0x80)
			continue;
		if ((n = utf8_len(p + i, p + len)))
			good++;
		else
			bad++, n = 1;
	}
	return good >= bad;
}

void
charset_decode(struct buf *out, const char *p, size_t len, const char *declared, struct charset *c)
{
	*c = (struct charset){ "utf-8", false, 0 };
	if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		from_utf8(out, p + 3, len - 3, c);
		return;
	}
	if (len >= 2 && (memcmp(p, "\xFF\xFE", 2) == 0 || memcmp(p, "\xFE\xFF", 2) == 0)) {
		c->name = *p == '\xFF' ? "utf-16le" : "utf-16be";
		p += 2;
		len -= 2;
		if (from_iconv(out, p, len, c) == 0)
			return;
	}
	if (declared && strcmp(declared, "utf-8") != 0) {
		c->name = declared;
		if (strcmp(declared, "windows-1252") != 0 && from_iconv(out, p, len, c) == 0)
			return;
		/* latin1 is what servers say by default: valid UTF-8 is UTF-8. */
		c->name = charset_utf8(p, len) ? "utf-8" : "windows-1252";
	} else if (!charset_utf8(p, len) && !(declared && mostly_utf8(p, len))) {
		c->name = "windows-1252";
		c->guessed = true;
	}
	if (strcmp(c->name, "utf-8") == 0)
		from_utf8(out, p, len, c);
	else
		from_1252(out, p, len);
}
