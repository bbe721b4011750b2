#include "runs.h"

enum { BLOCK_BITS = 10 };

/* Past the end of the run that begins at i. */
static size_t
end(const int64_t *no, size_t n, size_t i)
{
	do
		i++;
	while (i < n && no[i] == no[i - 1] + 1);
	return i;
}

bool
runs_fit(const int64_t *no, size_t n)
{
	size_t piece = 0;

	for (size_t i = 0; i < n; i++) {
		bool begins = i && (no[i] != no[i - 1] + 1 || no[i] >> BLOCK_BITS != no[i - 1] >> BLOCK_BITS);

		if (begins && piece < RUNS_LEAST)
			return false;
		piece = begins ? 1 : piece + 1;
	}
	return piece >= RUNS_LEAST;
}

void
runs_put(struct pg_args *a, int lo, int hi, const int64_t *no, size_t n)
{
	for (size_t i = 0, next; i < n; i = next) {
		next = end(no, n, i);
		pg_put_i64(a, lo, no[i]);
		pg_put_i64(a, hi, no[next - 1]);
	}
}
