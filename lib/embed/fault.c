#include "embed/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
fault_set(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	f->temp = 0;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
fault_sys(struct fault *f, const char *fmt, ...)
{
	int err = errno;
	va_list ap;
	size_t n;

	f->temp = !(err == ENOENT || err == ENOTDIR || err == EACCES || err == EISDIR);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	n = strlen(f->text);
	snprintf(f->text + n, sizeof(f->text) - n, ": %s", strerror(err));
	return -1;
}
