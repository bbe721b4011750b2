/* texttest - HTML, encodings, sentences, languages, addresses, blobs and child
 * processes: tables of cases. HTML and sentences also at the edge of a page
 * that may not be read. Needs a folder to write in: argv[1]. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "blob.h"
#include "cidr.h"
#include "proc.h"
#include "text/charset.h"
#include "text/doc.h"
#include "text/html.h"
#include "text/lang.h"
#include "text/sentence.h"

static int n, bad;

static void
ok(int pass, const char *what, const char *detail)
{
	n++;
	bad += !pass;
	printf("%sok %d - %s: ", pass ? "" : "not ", n, what);
	for (const char *p = detail; *p && p < detail + 60; p++)        /* a TAP name is one line of ASCII */
		putchar(*p >= ' ' && *p < 127 && *p != '#' ? *p : '?');
	putchar('\n');
}

static void
same(const char *what, const char *detail, const char *want, const char *got)
{
	ok(strcmp(want, got) == 0, what, detail);
	if (strcmp(want, got) != 0)
		printf("# wanted [%s]\n# got    [%s]\n", want, got);
}

/* The same bytes, ending exactly where an unmapped page begins. */
static const char *
at_edge(const char *p, size_t len)
{
	static char *map;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!map) {
		map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(map + 2 * page, page, PROT_NONE);
	}
	return memcpy(map + 2 * page - len, p, len);
}

static const struct {
	const char *html, *text, *title;
} pages[] = {
	{ "<title>A &amp; B</title><p>one<p>two", "one\n\ntwo", "A & B" },
	{ "<html><head><title> x\n y </title><style>p{}</style><script>if(a<b)</script></head>hi", "hi", "x y" },
	{ "a<br>b<br><br>c", "a\nb\n\nc", "" },
	{ "<ul><li>one</li><li>two<ul><li>in</ul></ul>end", "- one\n- two\n\n- in\n\nend", "" },
	{ "<table><tr><td>a</td><td>b</td></tr><tr><th>c<td>d</table>", "a\tb\nc\td", "" },
	{ "<pre>\n  two\n    four &lt;x&gt;\n</pre>after", "  two\n    four <x>\n\nafter", "" },
	{ "x<pre>\n\n  a</pre>", "x\n\n\n  a", "" },
	{ "  much \n\t white   space  ", "much white space", "" },
	{ "<b>bo</b>ld <i>it</i>", "bold it", "" },
	{ "&lt;&gt;&quot;&apos;&#39;&#x41;&#65;&nbsp;&eacute;&euro;&hellip;", "<>\"''AA\xc2\xa0\xc3\xa9\xe2\x82\xac\xe2\x80\xa6", "" },
	{ "&copy 2024 &ampx &notit; &unknown; & &; &#; &#x;", "\xc2\xa9 2024 &x \xc2\xacit; &unknown; & &; &#; &#x;", "" },
	{ "&#0;&#xD800;&#x110000;&#99999999999;&#128;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac", "" },
	{ "co&shy;op and co\xc2\xadop", "coop and coop", "" },
	{ "a<!-- <p>no --> b<!---->c<!-->d", "a bcd", "" },
	{ "a <!-- never closed <p>b", "a", "" },
	{ "1 < 2 <3 <", "1 < 2 <3 <", "" },
	{ "<a title='x>y' href=\"z>\">link</a>", "link", "" },
	{ "<a title=\"never closed>link", "", "" },
	{ "<p title=>a<p b\"c>d", "a\n\nd", "" },
	{ "<SCRIPT>no</scripty></SCRIPT >yes", "yes", "" },
	{ "<script>never closed", "", "" },
	{ "<script/>no</script>yes", "yes", "" },
	{ "<svg/>yes<svg><title>no</title></svg>", "yes", "" },
	{ "<noscript>no</noscript><textarea>no</textarea><template>no</template>yes", "yes", "" },
	{ "<?php no ?>yes</3>!</>x", "yes!x", "" },
	{ "<title>one</title><title>two</title>", "", "one" },
	{ "<custom-element-of-a-long-name>x</custom-element-of-a-long-name>", "x", "" },
	{ "<h1>Head</h1>\n<div>a</div>\n<div>b</div>", "Head\n\na\nb", "" },
	{ "<p>\xe4\xbd\xa0\xe5\xa5\xbd</p>", "\xe4\xbd\xa0\xe5\xa5\xbd", "" },
	{ "", "", "" }, { "<", "<", "" }, { "</", "</", "" }, { "<!", "", "" }, { "<p", "", "" }, { "<p a=", "", "" },
	{ "<p a='", "", "" }, { "&", "&", "" }, { "&#", "&#", "" }, { "&#x", "&#x", "" }, { "&am", "&am", "" }, { "<pre>", "", "" },
	{ "<script", "", "" }, { "<script></", "", "" }, { "<script></script", "", "" }, { "a\xc2", "a\xc2", "" },
};

static void
html_cases(void)
{
	static struct buf out, title;

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		size_t len = strlen(pages[i].html);

		out.len = title.len = 0;
		html_text(&out, &title, at_edge(pages[i].html, len), len);
		same("html", pages[i].html, pages[i].text, buf_str(&out));
		same("title", pages[i].html, pages[i].title, buf_str(&title));
		for (size_t cut = 0; cut < len; cut++) {        /* no beginning of it reads too far */
			out.len = title.len = 0;
			html_text(&out, &title, at_edge(pages[i].html, cut), cut);
		}
	}
	ok(html_sniff("<!DOCTYPE html>", 15), "sniff", "doctype");
	ok(html_sniff(" \n<!-- x --><html lang=en>", 26), "sniff", "comment first");
	ok(html_sniff("<?xml version=\"1.0\"?>\n<html xmlns=''>", 38), "sniff", "xhtml");
	ok(!html_sniff("<htmlx>", 7) && !html_sniff("text <html>", 11) && !html_sniff("<", 1), "sniff", "others are not");
}

/* Twice the input takes about twice the time, whatever it is. */
static void
meta(void)
{
	static const struct { const char *page, *want; } t[] = {
		{ "<meta name=citation_pdf_url content=http://a/b.pdf>", "http://a/b.pdf" },
		{ "<META CONTENT='/b?c=1&amp;d' NAME=\"Citation_PDF_URL\"/>", "/b?c=1&d" },
		{ "<meta property = citation_pdf_url content = x />", "x" },
		{ "<meta name=citation_pdf_url><meta name=citation_pdf_url content=' '><meta name=citation_pdf_url content=second>", "second" },
		{ "<meta name=citation_title content=t><meta name=citation_pdf_url content=u>", "u" },
		{ "<p title='<meta name=citation_pdf_url content=no>'>a < b</p><meta name=citation_pdf_url content=yes>", "yes" },
		{ "<!--<meta name=citation_pdf_url content=no>--><!><meta name=citation_pdf_url content=yes>", "yes" },
		{ "<script><meta name=citation_pdf_url content=no></script ><meta name=citation_pdf_url content=yes>", "yes" },
		{ "<title><meta name=citation_pdf_url content=no></title>", NULL },
		{ "<metax name=citation_pdf_url content=no>", NULL },
		{ "<meta name=citation_pdf_url content='torn", NULL },
		{ "<meta name=citation_pdf_url content", NULL },
		{ "<meta name=citation_pdf_url content=", NULL },
		{ "<script>", NULL }, { "<!--", NULL }, { "<", NULL }, { "", NULL },
	};
	static struct buf out;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t len = strlen(t[i].page);
		bool got;

		out.len = 0;
		got = html_meta(&out, t[i].page, len, "citation_pdf_url");
		ok(got == !!t[i].want && (!got || strcmp(buf_str(&out), t[i].want) == 0), "meta", t[i].page);
	}
}

static void
html_linear(void)
{
	static const char *const hostile[] = { "<", "<a ", "<!--", "&", "&#", "<script>", "</", "<a b='", "<pre>\n", "<li>", "<br>",
	    "&amp", "<a =", "\xc2", "<title>", "<svg>", " <p> ", "</script", "<!" };
	static struct buf in, out, title;

	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		clock_t at;

		in.len = out.len = title.len = 0;
		while (in.len < 1 << 20)
			buf_adds(&in, hostile[i]);
		at = clock();
		html_text(&out, &title, in.p, in.len);
		html_meta(&out, in.p, in.len, "citation_pdf_url");
		ok((double)(clock() - at) / CLOCKS_PER_SEC < 1, "a megabyte in under a second", hostile[i]);
	}
}

static const struct {
	const char *bytes, *declared, *want, *name;
} codings[] = {
	{ "plain", NULL, "plain", "utf-8" },
	{ "\xef\xbb\xbf" "bom", NULL, "bom", "utf-8" },
	{ "gr\xc3\xbc\xc3\x9f", NULL, "gr\xc3\xbc\xc3\x9f", "utf-8" },
	{ "gr\xfc\xdf \x80\x93", NULL, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac\xe2\x80\x9c", "windows-1252" },
	{ "gr\xfc\xdf", "latin1", "gr\xc3\xbc\xc3\x9f", "windows-1252" },
	{ "gr\xc3\xbc\xc3\x9f", "latin1", "gr\xc3\xbc\xc3\x9f", "utf-8" },
	{ "\xcf\xf0\xe8", "windows-1251", "\xd0\x9f\xd1\x80\xd0\xb8", "windows-1251" },
	{ "\xf0\xd2\xc9", "KOI8-R", "\xd0\x9f\xd1\x80\xd0\xb8", "koi8-r" },
	{ "\x93\xfa\x96\x7b", "Shift_JIS", "\xe6\x97\xa5\xe6\x9c\xac", "shift_jis" },
	{ "\xc4\xe3\xba\xc3", "gb2312", "\xe4\xbd\xa0\xe5\xa5\xbd", "gb18030" },
	{ "\xb0\xa1\x41", "euc-kr", "\xea\xb0\x80" "A", "euc-kr" },
	{ "a\xff\xfe", "euc-jp", "a\xef\xbf\xbd\xef\xbf\xbd", "euc-jp" },
	{ "ok \xc3\xa9 \xff bad", "utf-8", "ok \xc3\xa9 \xef\xbf\xbd bad", "utf-8" },
	{ "caf\xe9", "utf-8", "caf\xc3\xa9", "windows-1252" },
};

static void
charset_cases(void)
{
	static struct buf out;
	struct charset c;
	size_t len;
	const char *p;

	for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
		const char *d = codings[i].declared ? charset_name(codings[i].declared, strlen(codings[i].declared)) : NULL;

		len = strlen(codings[i].bytes);
		out.len = 0;
		charset_decode(&out, at_edge(codings[i].bytes, len), len, d, &c);
		same("decode", codings[i].bytes, codings[i].want, buf_str(&out));
		same("charset", codings[i].bytes, codings[i].name, c.name);
	}
	out.len = 0;
	charset_decode(&out, "\xff\xfeh\0i\0=\xd8\x00\xde\x00\xd8", 12, NULL, &c);
	same("utf-16le by its mark", c.name, "hi\xf0\x9f\x98\x80\xef\xbf\xbd", buf_str(&out));
	out.len = 0;
	charset_decode(&out, "\xfe\xff\0h\0i\0", 7, NULL, &c);
	same("utf-16be, torn", c.name, "hi\xef\xbf\xbd", buf_str(&out));
	ok(charset_name("utf-7", 5) == NULL && charset_name("ISO-2022-CN-EXT", 15) == NULL, "label", "no others");
	p = charset_of_type("text/html; Charset=\"UTF-8\"", 26, &len);
	ok(p && len == 5 && memcmp(p, "UTF-8", 5) == 0, "label", "of a type");
	p = html_charset("<meta http-equiv=x content='text/html; charset=koi8-r'>", 55, &len);
	ok(p && len == 6 && memcmp(p, "koi8-r", 6) == 0, "label", "of a meta");
	ok(html_charset("<meta charset=x", 15, &len) == NULL, "label", "of a torn meta");
}

/* | where a sentence begins, || a paragraph. */
static const struct {
	const char *text, *cut;
} prose[] = {
	{ "One. Two! Three? Four", "One. |Two! |Three? |Four" },
	{ "Dr. Who met Mr. X at 5 p.m. today. End.", "Dr. Who met Mr. X at 5 p.m. today. |End." },
	{ "e.g. this, i.e. that. And J. S. Bach.", "e.g. this, i.e. that. |And J. S. Bach." },
	{ "It cost 3.50 in 1999. Then 3. May came.", "It cost 3.50 in 1999. |Then 3. May came." },
	{ "a.b.c www.x.org. Next", "a.b.c www.x.org. |Next" },
	{ "Wait... what? \"Yes.\" (No.) He said.", "Wait... what? |\"Yes.\" |(No.) |He said." },
	{ "one\ntwo three.\nFour", "one\ntwo three.\n|Four" },
	{ "para one\n\npara two\n \t\nthree\fpage", "para one\n\n||para two\n \t\n||three\f||page" },
	{ "list:\n- a\n* b\n1. c\n2) d", "list:\n|- a\n|* b\n|1. c\n|2) d" },
	{ "a\tb\nc\td\ne f", "a\tb\n|c\td\n|e f" },
	{ "\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xef\xbc\x81\xe4\xb8\x89", "\xe4\xb8\x80\xe3\x80\x82|\xe4\xba\x8c\xef\xbc\x81|\xe4\xb8\x89" },
	{ "\xe3\x80\x8c\xe4\xb8\x80\xe3\x80\x82\xe3\x80\x8d\xe4\xba\x8c", "\xe3\x80\x8c\xe4\xb8\x80\xe3\x80\x82\xe3\x80\x8d|\xe4\xba\x8c" },
	{ "\xd0\x94\xd0\xb0. \xd0\xbd\xd0\xb5\xd1\x82. \xd0\x9e\xd0\xbd", "\xd0\x94\xd0\xb0. \xd0\xbd\xd0\xb5\xd1\x82. |\xd0\x9e\xd0\xbd" },
	{ "x\r\n\r\ny", "x\r\n\r\n||y" },
	{ "", "" }, { "   ", "   " }, { "...", "..." }, { "\n\n\n", "\n\n\n" }, { "a\xe2", "a\xe2" }, { "ab. \xe2\x80", "ab. |\xe2\x80" },
};

static void
sentence_cases(void)
{
	static struct buf got;

	for (size_t i = 0; i < sizeof prose / sizeof *prose; i++) {
		size_t len = strlen(prose[i].text), at = 0, next;
		const char *p = at_edge(prose[i].text, len);
		bool para;

		for (got.len = 0; at < len; at = next) {
			next = sentence_next(p, len, at, &para);
			ok(next > at && next <= len, "advances", prose[i].text);
			buf_add(&got, p + at, next - at);
			if (next < len)
				buf_adds(&got, para ? "||" : "|");
		}
		same("sentences", prose[i].text, prose[i].cut, buf_str(&got));
	}
	ok(sentence_trim("a \xe3\x80\x80\xc2\xa0\n", 8) == 1, "trim", "wide and narrow");
	ok(sentence_trim(" \xe3\x80\x80", 4) == 0 && sentence_trim("\x80\x80", 2) == 2, "trim", "all, and none");
}

static const struct {
	const char *code, *text;
} tongues[] = {
	{ "en", "The quick brown fox jumps over the lazy dog, and that was the end of it." },
	{ "de", "Der schnelle braune Fuchs springt \xc3\xbc" "ber den faulen Hund, und das war alles." },
	{ "fr", "Le renard brun saute par-dessus le chien paresseux et c'est tout ce que nous avons vu." },
	{ "es", "El zorro salta sobre el perro perezoso y eso es todo lo que hay que decir de \xc3\xa9l." },
	{ "it", "La volpe salta sopra il cane pigro e questo \xc3\xa8 tutto quello che c'era da dire della cosa." },
	{ "pt", "A raposa salta sobre o c\xc3\xa3o pregui\xc3\xa7oso e isso \xc3\xa9 tudo o que n\xc3\xa3o se diz." },
	{ "nl", "De vos springt over de luie hond en dat is het einde van het verhaal dat wij zien." },
	{ "pl", "Lis przeskakuje nad leniwym psem i to jest wszystko, co si\xc4\x99 sta\xc5\x82o, ale nie tylko." },
	{ "cs", "Li\xc5\xa1ka sk\xc3\xa1\xc4\x8d" "e p\xc5\x99" "es l\xc3\xadn\xc3\xa9ho psa a to je v\xc5\xa1" "e, co se stalo, ale nejen to." },
	{ "sv", "R\xc3\xa4ven hoppar \xc3\xb6ver den lata hunden och det \xc3\xa4r allt som finns att s\xc3\xa4ga om det." },
	{ "da", "R\xc3\xa6ven hopper over den dovne hund, og det er hvad der er meget af, men ikke efter." },
	{ "fi", "Kettu hypp\xc3\xa4\xc3\xa4 laiskan koiran yli ja se on kaikki mit\xc3\xa4 siit\xc3\xa4 on sanottava, mutta ei muuta." },
	{ "tr", "Tilki tembel k\xc3\xb6pe\xc4\x9fin \xc3\xbczerinden atlar ve bu da bir hikaye i\xc3\xa7in \xc3\xa7ok iyi." },
	{ "ru", "\xd0\x9b\xd0\xb8\xd1\x81\xd0\xb0 \xd0\xbd\xd0\xb5 \xd0\xbf\xd1\x80\xd1\x8b\xd0\xb3\xd0\xb0\xd0\xb5\xd1\x82, \xd0\xb8 \xd1\x8d\xd1\x82\xd0\xbe \xd0\xb2\xd1\x81\xd1\x91, \xd1\x87\xd1\x82\xd0\xbe \xd1\x8f \xd0\xb7\xd0\xbd\xd0\xb0\xd1\x8e" },
	{ "uk", "\xd0\x9b\xd0\xb8\xd1\x81 \xd1\x96 \xd0\xbf\xd0\xb5\xd1\x81, \xd1\x86\xd0\xb5 \xd0\xb2\xd1\x81\xd0\xb5, \xd1\x89\xd0\xbe \xd1\x94 \xd0\xb2 \xd1\x97\xd1\x85 \xd1\x96\xd1\x81\xd1\x82\xd0\xbe\xd1\x80\xd1\x96\xd1\x97" },
	{ "el", "\xce\x97 \xce\xb1\xce\xbb\xce\xb5\xcf\x80\xce\xbf\xcf\x8d" },
	{ "zh", "\xe7\x8b\x90\xe7\x8b\xb8\xe8\xb7\xb3\xe8\xbf\x87\xe6\x87\x92\xe7\x8b\x97" },
	{ "ja", "\xe7\x8b\x90\xe3\x81\x8c\xe7\x8a\xac\xe3\x82\x92\xe9\xa3\x9b\xe3\x81\xb3\xe8\xb6\x8a\xe3\x81\x88\xe3\x82\x8b" },
	{ "ko", "\xec\x97\xac\xec\x9a\xb0\xea\xb0\x80 \xeb\x9b\xb4\xeb\x8b\xa4" },
	{ "ar", "\xd8\xa7\xd9\x84\xd8\xab\xd8\xb9\xd9\x84\xd8\xa8 \xd9\x8a\xd9\x82\xd9\x81\xd8\xb2" },
	{ "he", "\xd7\x94\xd7\xa9\xd7\x95\xd7\xa2\xd7\x9c \xd7\xa7\xd7\x95\xd7\xa4\xd7\xa5" },
	{ "und", "qwrt zxcv 123 456" }, { "und", "" }, { "und", "12345 67890" }, { "und", "\xff\xfe\x80" },
};

static void
other_text(void)
{
	static struct buf out;

	for (size_t i = 0; i < sizeof tongues / sizeof *tongues; i++)
		same("language", tongues[i].code, tongues[i].code, lang_detect(tongues[i].text, strlen(tongues[i].text)));
	pdf_clean(&out, "of\x1c" "ce\x07 a\0b\fnext\r\n\x10q\x11\n\f", 22);
	same("pdf", "ligatures, controls, page ends", "offi" "ce ab\n\nnext\n\xe2\x80\x9cq\xe2\x80\x9d", buf_str(&out));
	out.len = 0;
	doc_first_line(&out, "\n\n ## A heading\nmore", 19);
	same("title", "of Markdown", "A heading", buf_str(&out));
	out.len = 0;
	for (int i = 0; i < 100; i++)
		buf_adds(&out, "w\xc3\xb6rd ");
	{
		struct buf t = BUF_INIT;

		doc_first_line(&t, out.p, out.len);
		ok(t.len <= 204 && charset_utf8(t.p, t.len), "title", "of a long line");
		out.len = t.len = 0;
		for (int i = 0; i < 201; i++)
			buf_addc(&out, 'x');
		doc_first_line(&t, at_edge(out.p, out.len), out.len);
		ok(t.len == 203, "title", "of a line without a space, just too long");
		buf_free(&t);
	}
}

static void
cidr_cases(void)
{
	static const char *const no[] = { "127.0.0.1", "127.255.255.255", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
	    "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1",
	    "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
	    "2001::1", "2001:db8::1", "::127.0.0.1" };
	static const char *const yes[] = { "1.1.1.1", "172.32.0.1", "172.15.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
	    "192.167.255.255", "2600::1", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::101:101" };
	static struct cidr_list none = CIDR_LIST_INIT, some = CIDR_LIST_INIT, wrong = CIDR_LIST_INIT;

	ok(cidr_parse(&some, " 127.0.0.0/8,::1 fd00::/8 10.0.0.1/32 ") == 0 && some.n == 4, "cidr", "a list");
	for (size_t i = 0; i < sizeof no / sizeof *no + sizeof yes / sizeof *yes; i++) {
		size_t first = sizeof no / sizeof *no;
		const char *s = i < first ? no[i] : yes[i - first];
		struct sockaddr_in a4 = { .sin_family = AF_INET };
		struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
		struct sockaddr *sa = strchr(s, ':') ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;

		if (inet_pton(AF_INET, s, &a4.sin_addr) != 1 && inet_pton(AF_INET6, s, &a6.sin6_addr) != 1)
			abort();
		ok(cidr_allowed(&none, sa) == (i >= first), i < first ? "not public" : "public", s);
		if (strcmp(s, "::ffff:127.0.0.1") == 0 || strcmp(s, "::1") == 0 || strcmp(s, "fd12::1") == 0)
			ok(cidr_allowed(&some, sa), "allowed by the list", s);
		if (strcmp(s, "10.1.2.3") == 0)
			ok(!cidr_allowed(&some, sa), "beside the list", s);
	}
	for (const char *const *s = (const char *const[]){ "300.1.1.1", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "host", "1.2.3.4/8x", NULL }; *s; s++)
		ok(cidr_parse(&wrong, *s) < 0, "no list", *s);
}

static void
blob_cases(const char *dir)
{
	struct blob b = BLOB_INIT;
	char hex[SHA256_HEX], again[SHA256_HEX], path[4096];
	static struct buf out;
	int fd;

	snprintf(path, sizeof path, "%s/blobs", dir);
	ok(blob_open(&b, path) == 0, "blob", "open makes the folder");
	ok(blob_put(&b, "hello", 5, hex) == 0 && blob_put(&b, "hello", 5, again) == 0 && strcmp(hex, again) == 0, "blob", "put twice");
	/* Somebody with our pid, in another container, writes to the same folder. */
	for (int i = 1; i < 9; i++) {
		snprintf(path, sizeof path, "%s/blobs/tmp.%ld.%d", dir, (long)getpid(), i);
		fd = open(path, O_WRONLY | O_CREAT, 0666);
		ok(fd >= 0 && write(fd, "theirs", 6) == 6 && close(fd) == 0, "blob", "another's file");
	}
	ok(blob_put(&b, "other", 5, again) == 0 && blob_get(&b, again, 5, &out) == 0, "blob", "beside another's");
	for (int i = 1; i < 9; i++) {
		struct stat st;

		snprintf(path, sizeof path, "%s/blobs/tmp.%ld.%d", dir, (long)getpid(), i);
		ok(stat(path, &st) == 0 && st.st_size == 6 && unlink(path) == 0, "blob", "theirs is theirs");
	}
	out.len = 0;
	same("blob", "its name", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", hex);
	ok(blob_has(&b, hex) && blob_get(&b, hex, 5, &out) == 0 && out.len == 5 && memcmp(out.p, "hello", 5) == 0, "blob", "get");
	ok(blob_get(&b, hex, 4, &out) < 0 && errno == EFBIG && out.len == 5, "blob", "over the limit");
	for (const char *const *s = (const char *const[]){ "", "../x", "2CF2", "..", "2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98240", NULL }; *s; s++)
		ok(!blob_has(&b, *s) && blob_get(&b, *s, 9, &out) < 0 && errno == EINVAL, "blob, no name", *s);
	hex[63] = '5';
	ok(blob_get(&b, hex, 9, &out) < 0 && errno == ENOENT, "blob", "not there");
	hex[63] = '4';
	snprintf(path, sizeof path, "%s/blobs/2c/%s", dir, hex + 2);
	fd = open(path, O_WRONLY | O_TRUNC);
	ok(fd >= 0 && write(fd, "hellO", 5) == 5 && blob_get(&b, hex, 9, &out) < 0 && errno == EBADMSG, "blob", "spoiled");
	close(fd);
	blob_close(&b);
}

static void
proc_case(const char *what, const char *script, const char *in, enum proc_end end, int code, const char *out, const char *err)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	static struct proc_result r = PROC_RESULT_INIT;
	struct proc p = { .argv = argv, .in_fd = -1, .out_max = 100000, .wall_ms = 500, .limit = { .cpu_s = 1, .data_max = (size_t)256 << 20 } };
	struct timespec a, b;

	if (in)
		p.in_fd = proc_memfd("in", in, strlen(in));
	r.out.len = 0;
	clock_gettime(CLOCK_MONOTONIC, &a);
	proc_run(&p, &r);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (p.in_fd >= 0)
		close(p.in_fd);
	ok(r.end == end && (end == PROC_TIMEOUT || end == PROC_TOO_LARGE || r.code == code), "proc", what);
	if (r.end != end || (code >= 0 && r.code != code))
		printf("# end %d code %d\n", (int)r.end, r.code);
	ok(b.tv_sec - a.tv_sec < 4, "proc, in time", what);
	if (out)
		same("proc, stdout", what, out, buf_str(&r.out));
	if (err)
		same("proc, stderr", what, err, r.err);
	if (end == PROC_TOO_LARGE)
		ok(r.out.len == p.out_max, "proc, stdout is cut", what);
}

static void
proc_cases(void)
{
	proc_case("stdin to stdout", "cat; echo e >&2; exit 3", "hello", PROC_EXIT, 3, "hello", "e\n");
	proc_case("no stdin", "cat", NULL, PROC_EXIT, 0, "", "");
	proc_case("a signal", "kill -SEGV $$", NULL, PROC_SIGNAL, SIGSEGV, "", "");
	proc_case("hangs", "sleep 30", NULL, PROC_TIMEOUT, 0, "", NULL);
	proc_case("hangs with its output closed", "exec >&- 2>&-; sleep 30", NULL, PROC_TIMEOUT, 0, "", NULL);
	proc_case("prints without end", "yes", NULL, PROC_TOO_LARGE, 0, NULL, NULL);
	proc_case("floods stderr", "head -c 100000 /dev/zero | tr '\\0' x >&2; printf end >&2", NULL, PROC_EXIT, 0, "", NULL);
	proc_case("leaves a grandchild with the pipes", "sleep 30 & echo $!", NULL, PROC_EXIT, 0, NULL, NULL);
	proc_case("pipes signal as they should", "yes | head -1", NULL, PROC_EXIT, 0, "y\n", NULL);
	{
		const char *argv[] = { "/nowhere/at all", NULL };
		static struct proc_result r = PROC_RESULT_INIT;
		struct proc p = { .argv = argv, .in_fd = -1 };

		proc_run(&p, &r);
		ok(r.end == PROC_NO_EXEC && r.code == ENOENT, "proc", "no such program");
	}
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 100;
	signal(SIGPIPE, SIG_IGN);
	html_cases();
	meta();
	html_linear();
	charset_cases();
	sentence_cases();
	other_text();
	cidr_cases();
	blob_cases(argv[1]);
	proc_cases();
	printf("1..%d\n", n);
	return bad != 0;
}
