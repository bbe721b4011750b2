/* vocab - compiles a file of terms for map, and says what is in a compiled one.
 * See docs/vocab.1. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "lexicon/lexform.h"
#include "ndjson.h"

static const char usage[] = "vocab [-a] [-f form] [-m letters] [-s source] -n name -o file <terms | -i file ...\n"
    "\n"
    "Compiles the terms on stdin into a vocabulary that map(1) finds in texts, and\n"
    "prints what it holds. For people there is 'sluice vocab'.\n"
    "\n"
    "  -n name     the vocabulary's name: a-z, 0-9, -\n"
    "  -o file     where to put it; replaced whole or not at all\n"
    "  -f form     rxnorm (RXNCONSO.RRF), icd11 (the tabulation) or tsv (concept, term,\n"
    "              name); default: the first line decides\n"
    "  -m letters  a term with fewer letters and digits is left out (3; tsv: 1)\n"
    "  -s source   rxnorm: names of this source (SAB) only\n"
    "  -a          abbreviations, up to five capitals, do not mean the same in lower case\n"
    "  -i          print what compiled files hold\n";

enum { WARNINGS = 10 };

static uint64_t rows, added, skipped, too_short, too_long, bad;

static void
read_all(struct buf *b)
{
	for (;;) {
		ssize_t n = read(0, buf_room(b, 1 << 20), 1 << 20);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die_sys(XTEMP, "read stdin");
		if (n == 0)
			return;
		b->len += (size_t)n;
	}
}

static void
line(struct lex_make *m, struct lex_reader *r, const char *p, size_t len)
{
	struct lex_row row;

	switch (lex_read(r, p, len, &row)) {
	case LEX_ROW: break;
	case LEX_SKIP: skipped++; return;
	case LEX_BAD:
		if (bad++ < WARNINGS)
			warn("line %lu: %s", r->line, r->why);
		/* The whole file is none of these: each line would say so. */
		if (r->line == 1)
			die(XPERM, "not a file of terms%s%s", r->form ? " in the form " : "", r->form ? lex_form_name(r->form) : "");
		return;
	}
	/* Only now the form is known for certain. */
	if (!m->letters)
		m->letters = r->form == LEX_TSV ? 1 : 3;
	rows++;
	switch (lex_make_add(m, &row)) {
	case LEX_ADDED: added++; return;
	case LEX_SHORT: too_short++; return;
	case LEX_LONG: too_long++; return;
	case LEX_FULL: die(XPERM, "line %lu: more terms than a vocabulary can hold", r->line);
	}
}

static void
sync_folder(const char *file)
{
	char *dir = mem_dup(file, strlen(file)), *slash = strrchr(dir, '/');
	int fd;

	if (slash)
		*(slash == dir ? slash + 1 : slash) = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		die_sys(XTEMP, "sync the folder of %s", file);
	close(fd);
	free(dir);
}

static void
write_file(const char *file, const struct buf *b)
{
	static struct buf tmp;
	int fd;

	buf_addf(&tmp, "%s.tmp.%ld", file, (long)getpid());
	fd = open(buf_str(&tmp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		die_sys(errno == ENOENT || errno == EACCES ? XPERM : XTEMP, "open %s", tmp.p);
	if (write_all(fd, b->p, b->len) < 0 || fsync(fd) < 0 || close(fd) < 0 || rename(tmp.p, file) < 0) {
		warn_sys("write %s", file);
		unlink(tmp.p);
		die(XTEMP, "the vocabulary was not stored");
	}
	sync_folder(file);
}

static void
print(const struct lex *x, bool made)
{
	static struct buf b;
	const struct lex_head *h = x->h;

	b.len = 0;
	buf_addf(&b, "{\"name\":\"%s\",\"form\":", h->name);
	json_quotes(&b, h->form);
	buf_addf(&b, ",\"terms\":%u,\"concepts\":%u,\"words\":%u,\"states\":%u,\"bytes\":%" PRIu64, h->terms, h->concepts,
	    h->words, h->states, h->size);
	if (made)
		buf_addf(&b, ",\"rows\":%" PRIu64 ",\"added\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"too_short\":%" PRIu64
		    ",\"too_long\":%" PRIu64 ",\"bad\":%" PRIu64, rows, added, skipped, too_short, too_long, bad);
	buf_adds(&b, ",\"made\":");
	json_quotes(&b, h->made);
	buf_addf(&b, ",\"source\":\"%s\",\"sha256\":\"%s\"}\n", h->source, h->id);
	if (write_all(1, b.p, b.len) < 0)
		die_sys(XTEMP, "write stdout");
}

static void
compile(struct lex_make *m, struct lex_reader *r, const char *name, const char *file)
{
	static struct buf in, out;
	static struct lex x = LEX_INIT;
	static struct fault f;
	char source[SHA256_HEX], made[22];
	time_t now = time(NULL);
	const char *p, *end, *lf;
	struct tm tm;

	read_all(&in);
	for (p = in.p, end = in.p + in.len; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf : end;     /* people's files may end without one */
		line(m, r, p, (size_t)(lf - p));
	}
	if (!added)
		die(XPERM, "no term in it: rows=%" PRIu64 " skipped=%" PRIu64 " too_short=%" PRIu64 " bad=%" PRIu64, rows, skipped,
		    too_short, bad);
	if (bad > rows)
		die(XPERM, "more bad lines than terms: bad=%" PRIu64 " rows=%" PRIu64, bad, rows);
	sha256_hex(in.p, in.len, source);
	buf_free(&in);
	strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	if (lex_make_file(m, name, lex_form_name(r->form), source, made, &out) < 0)
		die(XPERM, "more text than a vocabulary can hold");
	if (lex_view(&x, out.p, out.len, &f) < 0)
		die(XBUG, "the compiled file is refused: %s", f.text);
	write_file(file, &out);
	print(&x, true);
}

static void
show(char **file)
{
	static struct fault f;

	for (; *file; file++) {
		struct lex x = LEX_INIT;

		if (lex_open(&x, *file, &f) < 0)
			die(f.temp ? XTEMP : XPERM, "%s", f.text);
		print(&x, false);
		lex_close(&x);
	}
}

int
main(int argc, char **argv)
{
	static struct lex_make m;
	static struct lex_reader r = LEX_READER_INIT;
	const char *name = NULL, *file = NULL;
	bool info_only = false;
	int c;

	err_init("vocab");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+af:im:n:o:s:")) != -1)
		switch (c) {
		case 'a': m.abbreviations = true; break;
		case 'f':
			r.form = lex_form_of(optarg);
			if (!r.form)
				die(XPERM, "-f: no such form: %s (rxnorm, icd11, tsv)", optarg);
			break;
		case 'i': info_only = true; break;
		case 'm': m.letters = (unsigned)arg_ulong("-m", optarg, 1, 100); break;
		case 'n': name = optarg; break;
		case 'o': file = optarg; break;
		case 's': r.sab = optarg; break;
		default: die_usage(usage);
		}
	argv += optind;
	if (info_only ? name || file || !*argv : !name || !file || *argv)
		die_usage(usage);
	if (name && !lex_name_ok(name))
		die(XPERM, "-n: a name has 1 to 32 of a-z, 0-9 and -: %s", name);
	if (info_only)
		show(argv);
	else
		compile(&m, &r, name, file);
	return 0;
}
