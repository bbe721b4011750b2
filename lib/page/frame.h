/* frame.h - what every page has around it, and the small parts that several have. Internal to lib/page. */
#ifndef PAGE_FRAME_H
#define PAGE_FRAME_H

#include "fill.h"
#include "page.h"

/* The places of the navigation. */
enum frame_here { FRAME_OVERVIEW, FRAME_JOBS, FRAME_DEAD, FRAME_PIPELINES, FRAME_WORKERS, FRAME_SEARCH, FRAME_NOWHERE };

/* Up to and with <main>. title: escaped already, without " - Sluice". events: the escaped address
 * of the stream that tells when the page is out of date, or NULL. */
void frame_open(const struct page *p, const char *title, enum frame_here here, const char *events);
void frame_close(const struct page *p);

/* True when the token is for all tenants, so that addresses must say which. */
bool frame_all(const struct page *p);
/* True when it is for all of them and none was asked for: what is shown is of everybody. */
bool frame_every(const struct page *p);
/* "&amp;tenant=..." for the one that was asked for, if one was: its page leads to pages of it. */
void frame_asked(const struct page *p, struct buf *out);
/* Where it is for all: the field of a form that asks for one; none: what it means to name none. */
void frame_ask(const struct page *p, const char *label, const char *none);
/* "?tenant=..." for r's tenant, where addresses need one. */
void frame_tenant(const struct page *p, const struct rec *r);
/* Something to be had: the link to r's job, if it names one. */
void frame_job(const struct page *p, const struct rec *r);

/* A state with its shape and its colour: of a job or of a worker. */
void frame_state(struct buf *out, const struct rec *r, const char *name);
void frame_state_of(struct buf *out, const char *state);

/* <dt>label</dt><dd>text filled</dd>, if r has the member. */
void frame_fact(struct buf *out, const struct rec *r, const char *name, const char *label, const char *text);
/* The same for a time: when, and how long ago. */
void frame_when(const struct page *p, const struct rec *r, const char *name, const char *label);

/* A bar of part in whole: a drawing that the number beside it says in words. class: its colour. */
void frame_bar(struct buf *out, double from, double part, double whole, const char *class);

/* Says so where r's counts are only as far as the ledger counted. */
void frame_inexact(struct buf *out, const struct rec *r);

/* <option value="value">text, selected where it is the chosen one; none of them trusted. */
void frame_option(struct buf *out, const char *value, const char *text, const char *chosen);

#endif
