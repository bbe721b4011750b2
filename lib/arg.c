#include "arg.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

static unsigned
suffix_shift(const char *end)
{
	switch (*end) {
	case 'k': return 10;
	case 'M': return 20;
	case 'G': return 30;
	}
	return 0;
}

unsigned long
arg_ulong(const char *opt, const char *s, unsigned long lo, unsigned long hi)
{
	unsigned long v;
	unsigned shift;
	char *end;

	errno = 0;
	if (*s < '0' || *s > '9')
		die(XPERM, "%s: not a number: '%s'", opt, s);
	v = strtoul(s, &end, 10);
	shift = hi >= 1024 ? suffix_shift(end) : 0;
	if (end[shift != 0])
		die(XPERM, "%s: not a number: '%s'", opt, s);
	if (errno || v > hi >> shift || v << shift < lo)
		die(XPERM, "%s: %s is not between %lu and %lu", opt, s, lo, hi);
	return v << shift;
}

double
arg_double(const char *opt, const char *s, double lo, double hi)
{
	double v;
	char *end;

	errno = 0;
	v = strtod(s, &end);
	if (end == s || *end || errno || !isfinite(v) || s[strspn(s, "0123456789.")])
		die(XPERM, "%s: not a number: '%s'", opt, s);
	if (v < lo || v > hi)
		die(XPERM, "%s: %s is not between %g and %g", opt, s, lo, hi);
	return v;
}

void
arg_doubles(const char *opt, const char *s, double *v, int n, double lo, double hi)
{
	char *copy = mem_dup(s, strlen(s)), *save = NULL, *word = strtok_r(copy, " ", &save);

	for (int i = 0; i < n; i++, word = strtok_r(NULL, " ", &save)) {
		if (!word)
			die(XPERM, "%s: %d numbers are needed: %s", opt, n, s);
		v[i] = arg_double(opt, word, lo, hi);
	}
	if (word)
		die(XPERM, "%s: only %d numbers are needed: %s", opt, n, s);
	free(copy);
}

int
arg_fd(const char *opt, const char *s)
{
	int fd = (int)arg_ulong(opt, s, 3, 1023);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		die_sys(XPERM, "%s %d", opt, fd);
	return fd;
}

void
arg_help(int argc, char **argv, const char *usage)
{
	if (argc < 2 || (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0))
		return;
	printf("usage: %s", usage);
	if (fflush(stdout) != 0)
		die_sys(XTEMP, "write stdout");
	exit(0);
}

const char *
arg_env(const char *name, const char *fallback)
{
	const char *v = getenv(name);

	return v && *v ? v : fallback;
}
