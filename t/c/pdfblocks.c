/* pdfblocks [FILE] - the built-in engine by hand: a PDF's blocks on stdout. What
 * pdftotext -bbox -raw printed on stdin where there is no file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pdf/engine.h"

int
main(int argc, char **argv)
{
	static struct pdf_engine e = PDF_ENGINE_INIT;
	static struct buf out;
	struct pdf_fault f;
	char piece[4096];
	size_t pages;
	ssize_t n;
	int fd;

	if (argc > 1) {
		fd = open(argv[1], O_RDONLY | O_CLOEXEC);
		if (fd < 0 || pdf_parse(&e, fd, &out, &pages, &f) < 0) {
			fprintf(stderr, "pdfblocks: %s: %s\n", fd < 0 ? "open" : f.code, fd < 0 ? strerror(errno) : f.message);
			return 1;
		}
	} else {
		bbox_begin(&e.bbox, &e.doc, e.text_max);
		while ((n = read(0, piece, sizeof piece)) > 0)
			if (bbox_feed(&e.bbox, piece, (size_t)n) < 0)
				return 1;
		if (n < 0 || bbox_end(&e.bbox) < 0)
			return 1;
		pdf_blocks(&e, &out);
	}
	buf_addc(&out, '\n');
	return fwrite(out.p, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : 111;
}
