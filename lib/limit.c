#include "limit.h"

#include <sys/resource.h>

static int
lower(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit l;

	if (!soft)
		return 0;
	if (getrlimit(what, &l) < 0)
		return -1;
	l.rlim_max = hard < l.rlim_max ? hard : l.rlim_max;
	l.rlim_cur = soft < l.rlim_max ? soft : l.rlim_max;
	return setrlimit(what, &l);
}

int
limit_apply(const struct limit *l)
{
	if (lower(RLIMIT_DATA, l->data_max, l->data_max) < 0)
		return -1;
	return lower(RLIMIT_CPU, l->cpu_s, l->cpu_s + 1);
}
