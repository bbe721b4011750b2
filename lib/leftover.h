/* leftover.h - what a feeder that is dead has left running.
 *
 * A filter dies with its feeder by its guardian (filter.h). Where both were killed
 * at once, what is left has the feeder's mark in its environment, and the
 * next feeder to start ends it. Functions never print, never exit. Linux's /proc.
 */
#ifndef LEFTOVER_H
#define LEFTOVER_H

/* Our mark, "SLUICE_FEEDER=PID.START.NAMESPACE" (START tells apart those that had
 * the same number; other name spaces are not looked at), as long as the process lives. */
const char *leftover_mark(void);
/* Sends KILL to each process that has the mark of one that is no more. Returns
 * how many. */
int leftover_end(void);

#endif
