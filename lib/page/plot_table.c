#include <math.h>

#include "fill.h"
#include "plot.h"
#include "when.h"

/* Of values from..to: the mean, or the highest. NAN when there are none. */
static double
of_rows(const double *v, size_t from, size_t to, bool peak)
{
	double sum = 0, max = NAN;
	size_t n = 0;

	for (; from < to; from++) {
		if (isnan(v[from]))
			continue;
		sum += v[from];
		if (!(max > v[from]))
			max = v[from];
		n++;
	}
	return !n ? NAN : peak ? max : sum / (double)n;
}

void
plot_table(struct buf *out, const struct plot *p)
{
	size_t each = (p->n + PLOT_ROWS - 1) / PLOT_ROWS;

	buf_addf(out, "<details id=\"%s-table\"><summary>The numbers</summary><table><caption>%s, %s of each ", p->id, p->title,
	    p->peak ? "highest" : "mean");
	when_about(out, p->step_us * (int64_t)each);
	buf_adds(out, "</caption><thead><tr><th scope=\"col\">From</th>");
	for (size_t l = 0; l < p->lines; l++)
		buf_addf(out, "<th scope=\"col\" class=\"num\">%s</th>", p->line[l].name);
	buf_adds(out, "</tr></thead><tbody>");
	for (size_t i = 0; i < p->n; i += each) {
		int64_t s = (p->from_us + p->step_us * (int64_t)i) / 1000000;

		buf_addf(out, "<tr><th scope=\"row\">%02d:%02d:%02d</th>", (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
		for (size_t l = 0; l < p->lines; l++) {
			double v = of_rows(p->line[l].v, i, i + each < p->n ? i + each : p->n, p->peak);

			buf_adds(out, "<td class=\"num\">");
			if (isnan(v))
				buf_adds(out, "-");
			else
				fill_count(out, round(v * 100) / 100);
			buf_addf(out, "%s</td>", isnan(v) ? "" : p->unit);
		}
		buf_adds(out, "</tr>");
	}
	buf_adds(out, "</tbody></table></details>");
}
