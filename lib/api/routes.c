/* routes.c - the table of paths. openapi.json says the same to strangers, and
 * t/0470-api.t holds them together. */
#include "api/api.h"

#define JSON " application/json "

const struct route api_routes[] = {
	{ "GET", "/v1/jobs/{id}", SCOPE_READ, job_get, " tenant ", NULL, false },
	{ "GET", "/v1/jobs", SCOPE_READ, job_list,
	  " tenant status pipeline doc_key priority since until sort limit cursor total ", NULL, false },
	{ "POST", "/v1/jobs", SCOPE_WRITE, job_submit, " tenant ", " application/json application/x-ndjson ", false },
	{ "GET", "/v1/jobs/{id}/history", SCOPE_READ, job_history, " tenant ", NULL, false },
	{ "GET", "/v1/jobs/{id}/result", SCOPE_READ, job_result, " tenant ", NULL, false },
	{ "GET", "/v1/jobs/{id}/logs", SCOPE_READ, job_logs, " tenant attempt ", NULL, false },
	{ "GET", "/v1/jobs/{id}/events", SCOPE_READ, job_events, " tenant last_event_id ", NULL, false },
	{ "POST", "/v1/jobs/{id}/cancel", SCOPE_WRITE, job_cancel, " tenant ", JSON, false },
	{ "POST", "/v1/jobs/{id}/open", SCOPE_WRITE, job_open, " tenant ", JSON, false },
	{ "POST", "/v1/jobs/{id}/retry", SCOPE_WRITE, job_retry, " tenant ", JSON, false },
	{ "GET", "/v1/events", SCOPE_READ, all_events, " tenant pipeline status job_id event last_event_id ", NULL, false },
	{ "GET", "/v1/dead", SCOPE_READ, dead_list, " tenant kind code limit cursor ", NULL, false },
	{ "GET", "/v1/dead/{no}", SCOPE_READ, dead_get, " tenant ", NULL, false },
	{ "POST", "/v1/dead/{no}/feed", SCOPE_DEAD, dead_feed, " tenant ", JSON, false },
	{ "GET", "/v1/workers", SCOPE_READ, workers_list, " tenant ", NULL, false },
	{ "GET", "/v1/pipelines", SCOPE_READ, pipelines_list, " tenant ", NULL, false },
	{ "GET", "/v1/stats", SCOPE_READ, stats_get, " tenant minutes ", NULL, false },
	{ "GET", "/v1/search", SCOPE_SEARCH, search_get, " tenant q limit doc_key share passages ", NULL, false },
	{ "GET", "/healthz", SCOPE_NONE, healthz, NULL, NULL, false },
	{ "GET", "/readyz", SCOPE_NONE, readyz, " ignore ", NULL, false },
	{ "GET", "/metrics", SCOPE_ADMIN, metrics_get, NULL, NULL, false },
	{ "GET", "/openapi.json", SCOPE_NONE, openapi_get, NULL, NULL, false },
	{ 0 }
};
