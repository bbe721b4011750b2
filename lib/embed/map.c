#include "embed/map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
map_open(struct map *m, const char *path, struct fault *f)
{
	struct stat st;
	void *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	m->p = NULL;
	m->len = 0;
	if (fd < 0)
		return fault_sys(f, "open %s", path);
	if (fstat(fd, &st) < 0) {
		fault_sys(f, "stat %s", path);
		close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		close(fd);
		return fault_set(f, "%s: %s", path, S_ISREG(st.st_mode) ? "is empty" : "is no file");
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		fault_sys(f, "map %s", path);
		close(fd);
		return -1;
	}
	close(fd);
	m->p = p;
	m->len = (size_t)st.st_size;
	return 0;
}

void
map_close(struct map *m)
{
	if (m->p)
		munmap((void *)(size_t)m->p, m->len);
	m->p = NULL;
	m->len = 0;
}
