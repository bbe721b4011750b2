/* pass - the empty stage: checks every record and passes it on. See docs/pass.1. */
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "stage.h"

static const char usage[] = "pass [-l maxbytes]\n"
    "\n"
    "Passes every record on, byte for byte. A line that is no record comes out\n"
    "as {\"error\":{...},\"raw\":\"<base64>\"}. The stage to copy when writing one.\n"
    "\n"
    "  -l maxbytes  the longest record (default 16M)\n";

int
main(int argc, char **argv)
{
	static struct stage s = STAGE_INIT;
	int c;

	err_init("pass");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	while (stage_next(&s))
		stage_pass(&s);
	return stage_end(&s);
}
