#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *prog = "sluice";

void
err_init(const char *name)
{
	prog = name;
}

const char *
err_prog(void)
{
	return prog;
}

static void
append(char *line, size_t size, size_t *len, const char *s)
{
	for (; *s && *len < size - 1; s++)
		line[(*len)++] = *s;
}

__attribute__((format(printf, 3, 0))) static void
say(const char *level, int err, const char *fmt, va_list ap)
{
	char text[3072], line[4096];
	size_t len = 0;

	vsnprintf(text, sizeof(text), fmt, ap);
	append(line, sizeof(line) - 1, &len, prog);
	append(line, sizeof(line) - 1, &len, level);
	append(line, sizeof(line) - 1, &len, text);
	if (err) {
		append(line, sizeof(line) - 1, &len, ": ");
		append(line, sizeof(line) - 1, &len, strerror(err));
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	while (write(2, line, len) < 0 && errno == EINTR)
		;
}

#define SAY(level, err) do { \
	va_list ap; \
	va_start(ap, fmt); \
	say(level, err, fmt, ap); \
	va_end(ap); \
} while (0)

void
info(const char *fmt, ...)
{
	SAY(": info: ", 0);
}

void
warn(const char *fmt, ...)
{
	SAY(": warning: ", 0);
}

void
warn_sys(const char *fmt, ...)
{
	int err = errno;

	SAY(": warning: ", err);
}

void
die(int code, const char *fmt, ...)
{
	SAY(": fatal: ", 0);
	exit(code);
}

void
die_sys(int code, const char *fmt, ...)
{
	int err = errno;

	SAY(": fatal: ", err);
	exit(code);
}

void
die_sys_now(int code, const char *fmt, ...)
{
	int err = errno;

	SAY(": fatal: ", err);
	_exit(code);
}

void
die_usage(const char *usage)
{
	fprintf(stderr, "usage: %.*s\n", (int)strcspn(usage, "\n"), usage);
	exit(XPERM);
}
