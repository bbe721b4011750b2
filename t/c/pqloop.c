/* pqloop SECONDS TENANT JOB_ID - what libpq does of GET /v1/jobs/{id}: the same query,
 * prepared, on one connection to SLUICE_DB, one after the other. Prints how many a
 * second, as a number. The peer of api_get_vs_libpq, see t/bench/run. */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arg.h"
#include "err.h"
#include "now.h"

/* As in lib/api/jobs.c. */
static const char sql[] = "select body, no, n, k from sluice.api_job($1, $2)";

int
main(int argc, char **argv)
{
	static const Oid types[] = { 25, 25 };
	const char *values[2];
	int64_t begin, end;
	uint64_t n = 0;
	PGconn *db;

	err_init("pqloop");
	if (argc != 4)
		die_usage("pqloop SECONDS TENANT JOB_ID");
	values[0] = argv[2];
	values[1] = argv[3];
	db = PQconnectdb(arg_env("SLUICE_DB", ""));
	if (PQstatus(db) != CONNECTION_OK)
		die(XTEMP, "%s", PQerrorMessage(db));
	PQclear(PQprepare(db, "get", sql, 2, types));
	begin = now_us();
	end = begin + (int64_t)arg_ulong("SECONDS", argv[1], 1, 3600) * 1000000;
	while (now_us() < end) {
		PGresult *res = PQexecPrepared(db, "get", 2, values, NULL, NULL, 0);

		if (PQntuples(res) != 1 || !strstr(PQgetvalue(res, 0, 0), argv[3]))
			die(XTEMP, "no such job: %s%s", argv[3], PQresultErrorMessage(res));
		PQclear(res);
		n++;
	}
	printf("%.1f\n", (double)n * 1e6 / (double)(now_us() - begin));
	PQfinish(db);
	return 0;
}
