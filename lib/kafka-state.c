/* What a program waits for, as its log and its state file say it. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "kafka.h"
#include "ndjson.h"

/* For "sluice status": a hint, so a failure to write it is said and survived.
 * What the file says then is no longer so: it goes. */
static void
tell(struct kafka_state *s)
{
	char tmp[4096], text[600];
	int fd, n;

	if (!s->path)
		return;
	if (snprintf(tmp, sizeof(tmp), "%s.new", s->path) >= (int)sizeof(tmp))
		return;
	n = snprintf(text, sizeof(text), s->why[0] ? "waiting: %s\n" : "ready\n", s->why);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write_all(fd, text, (size_t)n) == 0 && rename(tmp, s->path) == 0) {
		s->untold = false;
	} else {
		if (!s->untold)
			warn_sys("write state file %s", s->path);
		s->untold = true;
		unlink(s->path);
	}
	if (fd >= 0)
		close(fd);
}

void
kafka_state_open(struct kafka_state *s, const char *path)
{
	*s = (struct kafka_state){ .path = path };
	if (path)
		unlink(path);
}

void
kafka_waits(struct kafka_state *s, const char *fmt, ...)
{
	char why[sizeof(s->why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (s->said && strcmp(why, s->why) == 0) {
		if (s->untold)
			tell(s);
		return;
	}
	memcpy(s->why, why, sizeof(why));
	s->said = true;
	warn("waiting: %s", why);
	tell(s);
}

void
kafka_ready(struct kafka_state *s)
{
	if (s->said && !s->why[0] && !s->untold)
		return;
	if (s->why[0])
		info("ready again: no longer waiting: %s", s->why);
	s->why[0] = '\0';
	s->said = true;
	tell(s);
}
