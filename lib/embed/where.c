#include "embed/where.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"

enum { LEVELS = 4 };    /* build/MODE/bin/NAME and one to spare */

/* Cuts the last component off. False when none is left. */
static bool
up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* Replaces out's bytes from base by the model's folder under dir; true if it is there. */
static bool
under(struct buf *out, size_t base, const char *dir)
{
	out->len = base;
	buf_addf(out, "%s/.deps/model/" WHERE_MODEL, dir);
	return access(buf_str(out), F_OK) == 0;
}

static void
beside_program(struct buf *out)
{
	char exe[PATH_MAX] = "", dir[PATH_MAX];
	size_t base = out->len;

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0 || !up(exe) || !up(exe))
		memcpy(exe, ".", 2);
	memcpy(dir, exe, sizeof(dir));
	for (int level = 0; level < LEVELS; level++)
		if (under(out, base, dir) || !up(dir))
			break;
	if (access(out->p + base, F_OK) != 0)
		under(out, base, exe);
}

void
where_model(struct buf *out, const char *opt)
{
	const char *dir = opt ? opt : arg_env("SLUICE_MODEL", NULL);

	if (dir)
		buf_adds(out, dir);
	else
		beside_program(out);
	buf_str(out);
}

const char *
where_file(struct buf *out, const char *dir, const char *name)
{
	size_t at = out->len;

	buf_addf(out, "%s/%s", dir, name);
	return buf_str(out) + at;
}
