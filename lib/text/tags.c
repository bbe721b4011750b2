#include <stdlib.h>
#include <string.h>

#include "text/tags.h"

/* In strcmp order. */
static const struct tag tags[] = {
	{ "address", TAG_PARA }, { "article", TAG_PARA }, { "aside", TAG_PARA }, { "blockquote", TAG_PARA },
	{ "body", TAG_PARA }, { "br", TAG_BR }, { "caption", TAG_LINE }, { "center", TAG_LINE },
	{ "dd", TAG_LINE }, { "details", TAG_PARA }, { "dialog", TAG_PARA }, { "dir", TAG_PARA },
	{ "div", TAG_LINE }, { "dl", TAG_PARA }, { "dt", TAG_LINE }, { "fieldset", TAG_PARA },
	{ "figcaption", TAG_LINE }, { "figure", TAG_PARA }, { "footer", TAG_PARA }, { "form", TAG_PARA },
	{ "h1", TAG_PARA }, { "h2", TAG_PARA }, { "h3", TAG_PARA }, { "h4", TAG_PARA }, { "h5", TAG_PARA },
	{ "h6", TAG_PARA }, { "head", TAG_PARA }, { "header", TAG_PARA }, { "hr", TAG_PARA },
	{ "html", TAG_PARA }, { "iframe", TAG_RAW }, { "legend", TAG_LINE }, { "li", TAG_LI },
	{ "listing", TAG_PRE }, { "main", TAG_PARA }, { "menu", TAG_PARA }, { "nav", TAG_PARA },
	{ "noembed", TAG_RAW }, { "noframes", TAG_RAW }, { "noscript", TAG_RAW }, { "ol", TAG_PARA },
	{ "optgroup", TAG_LINE }, { "option", TAG_LINE }, { "p", TAG_PARA }, { "pre", TAG_PRE },
	{ "script", TAG_RAW }, { "section", TAG_PARA }, { "select", TAG_LINE }, { "style", TAG_RAW },
	{ "summary", TAG_LINE }, { "svg", TAG_RAW }, { "table", TAG_PARA }, { "tbody", TAG_LINE },
	{ "td", TAG_CELL }, { "template", TAG_RAW }, { "textarea", TAG_RAW }, { "tfoot", TAG_LINE },
	{ "th", TAG_CELL }, { "thead", TAG_LINE }, { "title", TAG_TITLE }, { "tr", TAG_LINE },
	{ "ul", TAG_PARA }, { "xmp", TAG_RAW },
};

static int
by_name(const void *name, const void *t)
{
	return strcmp(name, ((const struct tag *)t)->name);
}

const struct tag *
tag_find(const char *name, size_t len)
{
	char key[sizeof tags->name];

	if (len >= sizeof key)
		return NULL;
	for (size_t i = 0; i < len; i++)
		key[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	key[len] = 0;
	return bsearch(key, tags, sizeof tags / sizeof *tags, sizeof *tags, by_name);
}
