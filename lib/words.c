#include "words.h"

#include <string.h>

bool
words_have(const char *list, const char *between, const char *word, size_t len)
{
	for (const char *p = list; p && *p; p += strcspn(p, between)) {
		p += strspn(p, between);
		if (len && strcspn(p, between) == len && memcmp(p, word, len) == 0)
			return true;
	}
	return false;
}
