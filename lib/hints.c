#include "hints.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64, TOKEN_MAX = 256, TEXT_MAX = 512 };

static char queued[PIPE_BUF];
static size_t len;
static int fd = -2;     /* -2: not looked for yet, -1: nobody listens */

static void
find(void)
{
	const char *v = getenv("SLUICE_HINTS");
	char *end;
	long n = v ? strtol(v, &end, 10) : -1;

	fd = v && *v && !*end && n > 2 && n < 1 << 20 && (fcntl((int)n, F_GETFL) & O_ACCMODE) == O_WRONLY ?
	    (int)n : -1;
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool
hints_wanted(void)
{
	if (fd == -2)
		find();
	return fd >= 0;
}

void
hints_flush(void)
{
	if (len)
		(void)!write(fd, queued, len);
	len = 0;
}

void
hints_add(char kind, const char *stage, size_t stage_len, const char *token, size_t token_len,
    const char *text, size_t text_len)
{
	char *p;

	if (!hints_wanted() || stage_len > NAME_MAX_BYTES || token_len > TOKEN_MAX ||
	    memchr(token, ' ', token_len) || memchr(stage, ' ', stage_len))
		return;
	if (text_len > TEXT_MAX)
		text_len = TEXT_MAX;
	if (len + 5 + stage_len + token_len + text_len > sizeof(queued))
		hints_flush();
	p = queued + len;
	*p++ = kind;
	*p++ = ' ';
	memcpy(p, stage, stage_len);
	p += stage_len;
	*p++ = ' ';
	memcpy(p, token, token_len);
	p += token_len;
	*p++ = ' ';
	for (size_t i = 0; i < text_len; i++)
		*p++ = text[i] == '\n' ? ' ' : text[i];
	*p++ = '\n';
	len = (size_t)(p - queued);
}
