#include "when.h"

#include <stdbool.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* n digits at p: their number, or -1. */
static int
digits(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + p[i] - '0';
	}
	return v;
}

/* Days from 1970-01-01, in the Gregorian calendar. */
static int64_t
days(int y, int m, int d)
{
	int64_t era, year = y - (m <= 2), of_era, of_year;

	era = year / 400;
	of_era = year - era * 400;
	of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z", "+01:00": what to take off. WHEN_NONE if it is neither. */
static int64_t
zone(const char *p, size_t len)
{
	int h, m;

	if (len == 1 && (*p == 'Z' || *p == 'z'))
		return 0;
	if (len != 6 || (*p != '+' && *p != '-') || p[3] != ':')
		return WHEN_NONE;
	h = digits(p + 1, 2);
	m = digits(p + 4, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return WHEN_NONE;
	return (*p == '-' ? -1 : 1) * (h * HOUR + m * MINUTE);
}

int64_t
when_us(const char *p, size_t len)
{
	int y, mo, d, h, mi, s;
	int64_t part = 0, unit = SECOND, off;
	size_t i = 19;

	if (len < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' ') || p[13] != ':' || p[16] != ':')
		return WHEN_NONE;
	y = digits(p, 4);
	mo = digits(p + 5, 2);
	d = digits(p + 8, 2);
	h = digits(p + 11, 2);
	mi = digits(p + 14, 2);
	s = digits(p + 17, 2);
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60)
		return WHEN_NONE;
	if (p[i] == '.')
		for (i++; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
			unit /= 10;
			part += unit * (p[i] - '0');
		}
	off = zone(p + i, len - i);
	return off == WHEN_NONE ? WHEN_NONE : days(y, mo, d) * DAY + h * HOUR + mi * MINUTE + s * SECOND + part - off;
}

static struct tm
parts(int64_t us)
{
	time_t t = (time_t)(us / SECOND);
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	return tm;
}

void
when_rfc(struct buf *out, int64_t us)
{
	struct tm tm = parts(us);

	buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)(us % SECOND));
}

static void
two(struct buf *out, int64_t us, int64_t unit, const char *name, int64_t small, const char *small_name)
{
	buf_addf(out, "%lld %s", (long long)(us / unit), name);
	if (us % unit / small)
		buf_addf(out, " %d %s", (int)(us % unit / small), small_name);
}

void
when_span(struct buf *out, int64_t us)
{
	if (us < 0)
		us = 0;
	if (us < SECOND)
		buf_addf(out, "%d ms", (int)(us / 1000));
	else if (us < MINUTE)
		buf_addf(out, "%.1f s", (double)(us / 100000) / 10);
	else if (us < HOUR)
		two(out, us, MINUTE, "min", SECOND, "s");
	else if (us < DAY)
		two(out, us, HOUR, "h", MINUTE, "min");
	else
		two(out, us, DAY, "d", HOUR, "h");
}

void
when_about(struct buf *out, int64_t us)
{
	static const struct { int64_t us; const char *name; } units[] = { { DAY, "d" }, { HOUR, "h" }, { MINUTE, "min" }, { SECOND, "s" } };
	size_t i = 0;

	while (i < 3 && us < units[i].us)
		i++;
	buf_addf(out, "%lld %s", (long long)((us < 0 ? 0 : us) / units[i].us), units[i].name);
}

static bool
open_time(struct buf *out, int64_t us, const char *class)
{
	if (us < 0)
		return false;
	buf_addf(out, "<time%s datetime=\"", class);
	when_rfc(out, us);
	buf_adds(out, "\">");
	return true;
}

void
when_ago(struct buf *out, int64_t now, int64_t us)
{
	if (!open_time(out, us, " class=\"ago\""))
		return;
	if (us > now + SECOND) {
		buf_adds(out, "in ");
		when_about(out, us - now);
	} else {
		when_about(out, now - us);
		buf_adds(out, " ago");
	}
	buf_adds(out, "</time>");
}

void
when_at(struct buf *out, int64_t now, int64_t us)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	if (!open_time(out, us, ""))
		return;
	tm = parts(us);
	if (us / DAY == now / DAY)
		buf_addf(out, "%02d:%02d:%02d.%03d</time>", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(us % SECOND / 1000));
	else
		buf_addf(out, "%d %s %d %02d:%02d:%02d</time>", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
}
