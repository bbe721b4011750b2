/* routes.c - the table of paths. openapi.json says the same to strangers, and
 * t/0470-api.t holds them together. */
#include "api/api.h"

#define JSON " application/json "
#define FORM " application/x-www-form-urlencoded "

const struct route api_routes[] = {
	{ "GET", "/v1/jobs/{id}", SCOPE_READ, job_get, " tenant ", NULL, false },
	{ "GET", "/v1/jobs", SCOPE_READ, job_list,
	  " tenant status pipeline doc_key priority since until sort limit cursor total ", NULL, false },
	{ "POST", "/v1/jobs", SCOPE_WRITE, job_submit, " tenant ", " application/json application/x-ndjson ", false },
	{ "GET", "/v1/jobs/{id}/history", SCOPE_READ, job_history, " tenant ", NULL, false },
	{ "GET", "/v1/jobs/{id}/result", SCOPE_READ, job_result, " tenant ", NULL, false },
	{ "GET", "/v1/jobs/{id}/logs", SCOPE_READ, job_logs, " tenant attempt stage ", NULL, false },
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
	{ "GET", "/openapi.json", SCOPE_NONE, asset_get, NULL, NULL, false },

	{ "GET", "/", SCOPE_READ, view_overview, " did tenant ", NULL, true },
	{ "GET", "/ui/jobs", SCOPE_READ, view_jobs,
	  " did tenant status pipeline doc_key priority since until sort limit cursor ", NULL, true },
	{ "GET", "/ui/jobs/{id}", SCOPE_READ, view_job, " did tenant stage ", NULL, true },
	{ "GET", "/ui/job", SCOPE_READ, view_find, " did tenant job_id ", NULL, true },
	{ "GET", "/ui/dead", SCOPE_READ, view_dead, " did tenant kind code limit cursor ", NULL, true },
	{ "GET", "/ui/dead/{no}", SCOPE_READ, view_dead_one, " did tenant ", NULL, true },
	{ "GET", "/ui/workers", SCOPE_READ, view_workers, " did tenant ", NULL, true },
	{ "GET", "/ui/pipelines", SCOPE_READ, view_pipelines, " did tenant ", NULL, true },
	{ "GET", "/ui/search", SCOPE_SEARCH, view_search, " did tenant q limit ", NULL, true },
	{ "GET", "/ui/sign-in", SCOPE_NONE, view_sign_in, " did next ", NULL, true },
	{ "POST", "/ui/jobs/{id}/cancel", SCOPE_WRITE, job_cancel, " tenant ", FORM, true },
	{ "POST", "/ui/jobs/{id}/open", SCOPE_WRITE, job_open, " tenant ", FORM, true },
	{ "POST", "/ui/jobs/{id}/retry", SCOPE_WRITE, job_retry, " tenant ", FORM, true },
	{ "POST", "/ui/dead/{no}/feed", SCOPE_DEAD, dead_feed, " tenant ", FORM, true },
	{ "POST", "/session", SCOPE_NONE, session_begin, NULL, FORM, true },
	{ "POST", "/session/end", SCOPE_NONE, session_end, NULL, FORM, true },
	{ "GET", "/ui/style.css", SCOPE_NONE, asset_get, NULL, NULL, false },
	{ "GET", "/ui/sluice.js", SCOPE_NONE, asset_get, NULL, NULL, false },
	{ "GET", "/ui/icon.svg", SCOPE_NONE, asset_get, NULL, NULL, false },
	{ 0 }
};
