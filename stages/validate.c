/* validate - refuse requests that are not as they must be. See docs/validate.1. */
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "json.h"
#include "request.h"
#include "stage.h"

static const char usage[] = "validate [-l maxbytes] [-p folder] [-t types]\n"
    "\n"
    "Checks every member of each request: types, ranges, lengths, and members\n"
    "that only stages may set. A request with faults goes on with an error that\n"
    "names all of them, code bad_request.\n"
    "\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "  -p folder    a document's pipeline must be an executable file in it\n"
    "  -t types     job types of the older envelope that are allowed, by ','\n"
    "               (default " REQUEST_JOB_TYPES ")\n";

static void
refuse(struct stage *s, struct buf *why, const struct buf *at)
{
	static struct buf error;

	error.len = 0;
	stage_error_json(&error, "bad_request", false, 0, buf_str(why));
	error.len--;
	buf_adds(&error, ",\"member\":");
	json_quote(&error, at->p, at->len);
	buf_addc(&error, '}');
	stage_error_put(s, &s->rec, &error);
}

int
main(int argc, char **argv)
{
	static struct stage s = STAGE_INIT;
	static struct buf why, at;
	struct request_limits limits = { NULL, NULL };
	int c;

	err_init("validate");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:p:t:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'p': limits.pipelines = optarg; break;
		case 't': limits.job_types = optarg; break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	while (stage_next(&s)) {
		why.len = at.len = 0;
		if (request_faults(&s.rec, request_kind(&s.rec), &limits, &why, &at))
			refuse(&s, &why, &at);
		else
			stage_pass(&s);
	}
	return stage_end(&s);
}
