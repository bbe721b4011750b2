/* fault.h - why a model's file was refused: a sentence for people that names
 * the file, and whether trying again later may help (memory, I/O) or not. */
#ifndef FAULT_H
#define FAULT_H

struct fault {
	int temp;               /* 1: exit 111 fits; 0: exit 100 */
	char text[512];
};

/* Fill f and return -1, so that callers write: return fault_set(f, ...). */
int fault_set(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with ": strerror(errno)"; temp unless the file is missing or forbidden. */
int fault_sys(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
