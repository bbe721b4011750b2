#include "plot.h"

#include <math.h>

#include "fill.h"
#include "when.h"

enum { WIDE = 1000, HIGH = 200, STEPS = 4 };

double
plot_top(double max)
{
	static const double round[] = { 1, 2, 4, 6, 8, 10 };
	double unit;
	size_t i = 0;

	if (!(max > 0.01))
		return max > 0 ? 0.04 : 1;
	if (max > 1e30)
		max = 1e30;
	unit = pow(10, floor(log10(max)));
	while (i < 5 && round[i] * unit < max)
		i++;
	return round[i] * unit;
}

static double
highest(const struct plot *p)
{
	double max = 0;

	for (size_t l = 0; l < p->lines; l++)
		for (size_t i = 0; i < p->n; i++)
			if (p->line[l].v[i] > max)
				max = p->line[l].v[i];
	return max;
}

static void
point(struct buf *out, const struct plot *p, size_t i, double v, double top)
{
	double dx = p->n > 1 ? (double)WIDE / (double)(p->n - 1) : 0;

	v = v < 0 ? 0 : v > top ? top : v;
	buf_addf(out, "%.1f %.1f", dx * (double)i, HIGH - v / top * HIGH);
}

static bool
alone(const struct plot *p, const double *v, size_t i)
{
	return !isnan(v[i]) && (!i || isnan(v[i - 1])) && (i + 1 == p->n || isnan(v[i + 1]));
}

/* A value that stands alone is a dot: a thick line of no length with round ends. */
static void
draw_line(struct buf *out, const struct plot *p, const struct plot_line *line, double top)
{
	bool pen = false, dots = false;

	buf_addf(out, "<path class=\"%s\" vector-effect=\"non-scaling-stroke\" d=\"", line->class);
	for (size_t i = 0; i < p->n; i++) {
		dots |= alone(p, line->v, i);
		if (!isnan(line->v[i])) {
			buf_addc(out, pen ? 'L' : 'M');
			point(out, p, i, line->v[i], top);
		}
		pen = !isnan(line->v[i]);
	}
	buf_adds(out, "\"/>");
	if (!dots)
		return;
	buf_addf(out, "<path class=\"%s dots\" vector-effect=\"non-scaling-stroke\" d=\"", line->class);
	for (size_t i = 0; i < p->n; i++)
		if (alone(p, line->v, i)) {
			buf_addc(out, 'M');
			point(out, p, i, line->v[i], top);
			buf_adds(out, "h0");
		}
	buf_adds(out, "\"/>");
}

/* What the eye sees, for those who don't: each line's last value, mean and highest. */
static void
in_words(struct buf *out, const struct plot *p)
{
	for (size_t l = 0; l < p->lines; l++) {
		const double *v = p->line[l].v;
		double sum = 0, max = 0, last = NAN;
		size_t n = 0;

		for (size_t i = 0; i < p->n; i++)
			if (!isnan(v[i])) {
				sum += last = v[i];
				max = v[i] > max ? v[i] : max;
				n++;
			}
		buf_addf(out, "%s%s: ", l ? "; " : "", p->line[l].name);
		if (!n) {
			buf_adds(out, "nothing yet");
			continue;
		}
		buf_adds(out, "last ");
		fill_count(out, round(last * 100) / 100);
		buf_addf(out, "%s, mean ", p->unit);
		fill_count(out, round(sum / (double)n * 100) / 100);
		buf_addf(out, "%s, highest ", p->unit);
		fill_count(out, round(max * 100) / 100);
		buf_adds(out, p->unit);
	}
	buf_adds(out, ".");
}

static void
legend(struct buf *out, const struct plot *p)
{
	buf_addf(out, "<figcaption><span class=\"plot-title\">%s</span><span class=\"legend\">", p->title);
	for (size_t l = 0; l < p->lines; l++)
		buf_addf(out, "<span><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\" focusable=\"false\"><path class=\"%s\" d=\"M2 4h24\"/></svg>%s</span>",
		    p->line[l].class, p->line[l].name);
	buf_adds(out, "</span></figcaption>");
}

static void
axes(struct buf *out, const struct plot *p, double top)
{
	int64_t end = p->from_us + p->step_us * (int64_t)p->n;

	buf_adds(out, "<div class=\"plot-y\" aria-hidden=\"true\">");
	for (int i = STEPS; i >= 0; i--)
		buf_addf(out, "<span>%.5g%s</span>", top * i / STEPS, i == STEPS ? p->unit : "");
	buf_adds(out, "</div><div class=\"plot-x\" aria-hidden=\"true\">");
	for (int i = 0; i <= STEPS; i++) {
		int64_t s = (p->from_us + (end - p->from_us) * i / STEPS) / 1000000;

		buf_addf(out, "<span>%02d:%02d</span>", (int)(s / 3600 % 24), (int)(s / 60 % 60));
	}
	buf_adds(out, "</div>");
}

void
plot_draw(struct buf *out, const struct plot *p)
{
	double top = plot_top(highest(p));

	buf_addf(out, "<figure class=\"plot\" id=\"%s\">", p->id);
	legend(out, p);
	buf_adds(out, "<div class=\"plot-area\">");
	buf_addf(out, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\"%s-t %s-d\" focusable=\"false\">"
	    "<title id=\"%s-t\">%s</title><desc id=\"%s-d\">", WIDE, HIGH, p->id, p->id, p->id, p->title, p->id);
	in_words(out, p);
	buf_adds(out, "</desc><path class=\"grid\" vector-effect=\"non-scaling-stroke\" d=\"");
	for (int i = 0; i <= STEPS; i++)
		buf_addf(out, "M0 %dH%d", HIGH * i / STEPS, WIDE);
	buf_adds(out, "\"/>");
	for (size_t l = p->lines; l-- > 0; )
		draw_line(out, p, &p->line[l], top);
	buf_adds(out, "</svg>");
	axes(out, p, top);
	buf_adds(out, "</div>");
	plot_table(out, p);
	buf_adds(out, "</figure>\n");
}
