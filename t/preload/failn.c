/* failn - preloaded: the N-th call of one kind fails, as FAIL=malloc:N, read:N
 * or write:N says (calls on stderr do not count). FAIL_SEEN, a file: made when
 * the failure has happened. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static long left(const char *kind);

static long
left(const char *kind)
{
	static const char *what;
	static long n = -1;
	static char word[16];

	if (n < 0) {
		what = getenv("FAIL");
		n = 0;
		if (what && strchr(what, ':') && strchr(what, ':') - what < (long)sizeof(word)) {
			memcpy(word, what, (size_t)(strchr(what, ':') - what));
			n = atol(strchr(what, ':') + 1);
		}
	}
	if (!n || strcmp(word, kind) != 0 || --n)
		return 0;
	if (getenv("FAIL_SEEN"))
		close(open(getenv("FAIL_SEEN"), O_CREAT | O_WRONLY, 0600));
	return 1;
}

#define NEXT(type, name, ...) \
	static type (*next)(__VA_ARGS__); \
	if (!next) \
		*(void **)&next = dlsym(RTLD_NEXT, name)

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t a, size_t b);
extern void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	if (left("malloc")) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}

void *
calloc(size_t a, size_t b)
{
	if (left("malloc")) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(a, b);
}

void *
realloc(void *p, size_t n)
{
	if (left("malloc")) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, n);
}

ssize_t
read(int fd, void *p, size_t n)
{
	NEXT(ssize_t, "read", int, void *, size_t);
	if (left("read")) {
		errno = EIO;
		return -1;
	}
	return next(fd, p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(ssize_t, "write", int, const void *, size_t);
	if (fd != 2 && left("write")) {
		errno = ENOSPC;
		return -1;
	}
	return next(fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	NEXT(ssize_t, "writev", int, const struct iovec *, int);
	if (fd != 2 && left("write")) {
		errno = ENOSPC;
		return -1;
	}
	return next(fd, v, n);
}
