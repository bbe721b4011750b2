/* api.h - the jobs API: what each path does. jobs-api(1) sets it up and runs the loop.
 *
 * A request becomes a struct call: routed, its parameters and body checked, its token
 * looked up, then run by its route. The call lives until the answer is out.
 * JSON of answers is built by the ledger's functions api_*; here it is passed on.
 * One thread. Exits only while it starts. */
#ifndef API_H
#define API_H

#include "pgpool.h"
#include "rec.h"
#include "web.h"

enum scope {
	SCOPE_NONE = 0, SCOPE_READ = 1, SCOPE_WRITE = 2, SCOPE_DEAD = 4, SCOPE_SEARCH = 8, SCOPE_ADMIN = 16,
	SCOPE_ALL = 31
};

enum { API_VERSION = 19, TENANT_MAX = 256, ID_MAX = 128 };

/* Who asks. */
struct who {
	int64_t id;             /* of the token; 0: none was needed */
	char tenant[TENANT_MAX + 1];    /* "*": all of them */
	char name[65];
	unsigned scopes;
	int rate, burst;        /* requests a second, and at once; 0: no limit */
};

struct call;

struct route {
	const char *method, *path;      /* "GET", "/v1/jobs/{id}"; one {part} at the most */
	unsigned scope;                 /* what the token must allow; SCOPE_NONE: no token is asked for */
	void (*run)(struct call *c);
	const char *params;             /* allowed, " a b c " */
	const char *types;              /* of a body, " application/json "; NULL: no body is taken */
	bool page;                      /* for people: problems are pages, bodies are forms, without a token it asks for one */
};

struct call {
	struct web_req *r;
	const struct route *route;
	struct buf part;                /* what stands at the route's {part}, decoded, NUL-terminated */
	struct who who;
	const char *tenant;             /* whose jobs are meant; NULL: everybody's */
	struct buf out;
	bool by_cookie;
	bool garbled;                   /* part is not to be decoded */
	void *state;                    /* the route's own */
	void (*drop)(void *state);      /* frees it; NULL: free() */
	int64_t number;                 /* the route's own */
};

struct api_opts {
	const char *db;                 /* SLUICE_DB */
	const char *intake, *hits;      /* sockets of filters, or NULL */
	const char *metrics, *states;   /* folders: what programs count, what they wait for; or NULL */
	const char *tenant;             /* of those whose token is for all, where one must be meant */
	const char *origins;            /* CORS: "https://a https://b", or NULL */
	bool open;                      /* clients on this machine need no token */
	unsigned stream_s;              /* how long a stream lives at the least, and half as long again at most */
};
extern struct api_opts api;
extern struct pgpool *api_quick, *api_slow;     /* single jobs; lists, searches */

void api_start(const struct api_opts *o);
void api_handle(struct web_req *r);
/* Its token, by its headers, was good when it was looked up last; or it needs none. */
bool api_known(const struct web_req *r);
void api_done(struct web_req *r, unsigned status, int64_t us);
/* What is not answered yet, when it is time to go. */
void api_abandon(struct web_req *r);
/* No new work: requests are answered 503, streams end. */
void api_stop(void);
bool api_stopping(void);
/* How many requests wait for something. */
unsigned api_open_calls(void);

extern const struct route api_routes[];

/* Answering (problem.c). code: a word; member: the member or parameter at fault, or NULL. */
void problem(struct call *c, unsigned status, const char *code, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Appends {"type":...}: a problem as an object, for a batch's results. */
void problem_json(struct buf *out, unsigned status, const char *code, const char *member, const char *detail);
/* Adds to such an object whose request it was: it is an answer of its own. */
void problem_instance(const struct call *c, struct buf *object);
/* For a call of the database that failed. */
void problem_db(struct call *c, enum pg_status st, struct pg *db);
void answer_json(struct call *c, unsigned status);      /* c->out */
void answer_column(struct call *c, unsigned status, struct pg *db, int col);    /* text of row 0 */

/* Parameters: the checked value; a bad one was answered, and -1 is returned. */
int param_number(struct call *c, const char *name, int64_t fallback, int64_t lo, int64_t hi, int64_t *v);
int param_among(struct call *c, const char *name, const char *words, const char **v);
int param_time(struct call *c, const char *name, const char **v);
int param_bool(struct call *c, const char *name, bool *v);
/* A job's id in the path: true when it is one; otherwise it was answered (400). */
bool part_is_id(struct call *c);
bool is_job_id(const char *p, size_t len);
/* A number in the path into c->number. */
bool part_is_number(struct call *c);
/* The tenant of a single job, where the token is for all. */
const char *call_tenant(const struct call *c);
/* The body as an object into r (its bytes are the request's); an empty one is {}. */
bool body_object(struct call *c, struct rec *r);

/* Who asks (auth.c): looks the token up, then calls then(c) with c->who filled, or answers. */
void auth(struct call *c, void (*then)(struct call *c));
/* The same for a token at hand. */
void auth_token(struct call *c, const char *token, size_t len, void (*then)(struct call *c));

/* Routes. */
void job_get(struct call *c);
void job_list(struct call *c);
void job_history(struct call *c);
void job_result(struct call *c);
void job_logs(struct call *c);
void job_events(struct call *c);
void all_events(struct call *c);
void job_submit(struct call *c);
void job_cancel(struct call *c);
void job_open(struct call *c);
void job_retry(struct call *c);
void dead_list(struct call *c);
void dead_get(struct call *c);
void dead_feed(struct call *c);
void workers_list(struct call *c);
void pipelines_list(struct call *c);
void stats_get(struct call *c);
void search_get(struct call *c);
void healthz(struct call *c);
void readyz(struct call *c);
void metrics_get(struct call *c);
void asset_get(struct call *c);

/* Pages (pages.c, views.c, view_lists.c, find.c). */
void view_overview(struct call *c);
void view_jobs(struct call *c);
void view_job(struct call *c);
void view_find(struct call *c);
void view_dead(struct call *c);
void view_dead_one(struct call *c);
void view_workers(struct call *c);
void view_pipelines(struct call *c);
void view_search(struct call *c);
void view_sign_in(struct call *c);
void session_begin(struct call *c);
void session_end(struct call *c);
/* A problem, or the form to sign in with a sentence, as a page. */
void page_of_problem(struct call *c, unsigned status, const char *title, const char *detail);
void page_of_sign_in(struct call *c, unsigned status, const char *message);
/* 303 to what form.c read or this path, which is ours, with ?did=WORD. */
void see(struct call *c, const char *path, const char *did);
/* The field of a form that a page sent, NUL-terminated; false: it is not there. */
bool form_field(const struct call *c, const char *name, struct buf *value);

/* Events (hub.c, streams.c). */
void events_start(void);
void events_stop(void);
bool events_ready(void);

#endif
