/* fuzz-lookup - any bytes as RxNav's and the ICD API's answers: what comes of them is
 * JSON strings with commas between. */
#include <stdint.h>
#include <stdlib.h>

#include "lexicon/lexlook.h"
#include "rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum lex_look (*const read[])(struct buf *, const char *, size_t, const char *, size_t) =
	    { lex_look_rxnorm, lex_look_icd11 };
	static struct buf out;
	static struct rec ids;

	for (int i = 0; i < 2; i++) {
		enum lex_look st;

		out.len = 0;
		buf_addc(&out, '[');
		st = read[i](&out, (const char *)data, size, "Cholera x", 9);
		if ((st == LEX_LOOK_FOUND) != (out.len > 1))
			abort();
		buf_addc(&out, ']');
		if (rec_items(&ids, out.p, out.len) != REC_OK)
			abort();
		for (size_t k = 0; k < ids.n; k++)
			if (ids.m[k].type != '"')
				abort();
	}
	return 0;
}
