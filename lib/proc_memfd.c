#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ndjson.h"
#include "proc.h"

int
proc_memfd(const char *name, const char *p, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC), e;

	if (fd < 0)
		return -1;
	if (write_all(fd, p, len) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}
