/* rd_kafka_destroy joins the client's threads, and waits for ever where a topic was
 * made anew under a consumer that had lost its group before (2.0.2): a broker's thread
 * keeps a partition that nobody has any more. Whoever wants to end must not wait for that. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "err.h"
#include "kafka-rd.h"

static void *
destroy(void *rk)
{
	rd_kafka_destroy(rk);
	return NULL;
}

bool
kafka_end(rd_kafka_t *rk, int wait_ms)
{
	struct timespec until;
	sigset_t all, was;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);       /* signals are for the first thread */
	errno = pthread_create(&t, NULL, destroy, rk);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (errno) {
		warn_sys("end the Kafka client: start a thread");
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	if (pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &until) == 0)
		return true;
	pthread_detach(t);
	warn("the Kafka client did not end in %d ms: it ends with the process", wait_ms);
	return false;
}
