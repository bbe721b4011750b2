/* metrics - the counters of running programs as Prometheus text. See docs/metrics.1. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "metrics.h"

static const char usage[] = "metrics [folder]\n"
    "\n"
    "Prints the counters that programs keep in folder (default $SLUICE_METRICS)\n"
    "in Prometheus text form, one sample a line, labelled by service.\n";

enum { FILES_MAX = 256 };

static struct {
	char service[256];
	struct metrics_file f;
} files[FILES_MAX];
static size_t nfiles;

static void
load(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, &files[nfiles].f, sizeof(files[nfiles].f));

	if (fd >= 0)
		close(fd);
	if (n != sizeof(files[nfiles].f) ||
	    memcmp(files[nfiles].f.magic, METRICS_MAGIC, sizeof(files[nfiles].f.magic)) != 0 ||
	    name[strcspn(name, "\"\\\n")]) {
		warn("%s: not a metrics file", name);
		return;
	}
	snprintf(files[nfiles].service, sizeof(files[nfiles].service), "%s", name);
	for (int i = 0; i < METRICS_MAX; i++)
		files[nfiles].f.m[i].name[METRICS_NAME - 1] = '\0';
	nfiles++;
}

static void
load_all(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		die_sys(errno == ENOENT || errno == ENOTDIR ? XPERM : XTEMP, "%s", folder);
	while ((e = readdir(d)) && nfiles < FILES_MAX)
		if (e->d_name[0] != '.')
			load(dirfd(d), e->d_name);
	closedir(d);
}

/* A name's samples stand together, as the format asks. */
static void
print_name(const char *name)
{
	size_t n = strlen(name);
	int counter = n > 6 && strcmp(name + n - 6, "_total") == 0;

	printf("# TYPE sluice_%s %s\n", name, counter ? "counter" : "gauge");
	for (size_t k = 0; k < nfiles; k++)
		for (int i = 0; i < METRICS_MAX; i++)
			if (strcmp(files[k].f.m[i].name, name) == 0)
				printf("sluice_%s{service=\"%s\"} %" PRIu64 "\n", name,
				    files[k].service, files[k].f.m[i].value);
}

static int
seen_before(size_t k, int i)
{
	const char *name = files[k].f.m[i].name;

	for (size_t a = 0; a <= k; a++)
		for (int b = 0; b < METRICS_MAX && (a < k || b < i); b++)
			if (strcmp(files[a].f.m[b].name, name) == 0)
				return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	const char *folder;

	err_init("metrics");
	arg_help(argc, argv, usage);
	if (getopt(argc, argv, "+") != -1 || argc - optind > 1)
		die_usage(usage);
	folder = optind < argc ? argv[optind] : arg_env("SLUICE_METRICS", NULL);
	if (!folder)
		die(XPERM, "no folder: name one or set SLUICE_METRICS");
	load_all(folder);
	for (size_t k = 0; k < nfiles; k++)
		for (int i = 0; i < METRICS_MAX; i++)
			if (files[k].f.m[i].name[0] && !seen_before(k, i))
				print_name(files[k].f.m[i].name);
	if (fflush(stdout) != 0)
		die_sys(XTEMP, "write stdout");
	return 0;
}
