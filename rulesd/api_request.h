/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_request.h - one request of the API and how handlers answer it; private to api*.c.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>

#include "rulesd/api_socket.h"
#include "rulesd/diag.h"
#include "rulesd/engine.h"
#include "rulesd/text_guard.h"

#define API_BODY_POLICY (256u << 20) /* bytes */
#define API_BODY_OBJECT (1u << 20)
#define API_BODIES	(512u << 20) /* of all requests together */
#define API_BODIES_READ (64u << 20)  /* of those of clients that may only read */
/* Replies that clients have not taken yet: larger ones than the first are refused while there are
 * more of them than this. */
#define API_REPLY_SMALL	 (256u << 10)
#define API_REPLIES	 (1u << 30)
#define API_REPLIES_READ (256u << 20) /* to clients that may only read */
#define API_STREAMS	 128	      /* of events */
#define API_STREAMS_READ 64	      /* to clients that may only read */
/* What is read and thrown away of a body that was refused. */
#define API_WASTE	       (16u << 20)
#define API_CONNECTIONS	       1400 /* a thousand that wait for interfaces, and others */
#define API_CONNECTIONS_OTHERS 256  /* of all users but root and rulesd's own */
#define API_CONNECTIONS_EACH   64   /* of one of those */
#define API_MAX_WAIT	       300  /* seconds of ?wait= */
#define API_MAX_ADOPT	       3600 /* seconds of ?adopt_flows= */

struct api;
struct api_request;

struct api_route {
	const char *method;
	const char *path; /* ends in "/{id}" for one object */
	enum api_right right;
	unsigned int body; /* most bytes; 0: takes none */
	const char *query; /* permitted parameters, each with a space behind it */
	bool changes;	   /* If-Match counts */
	void (*handle)(struct api_request *request);
};

struct api_request {
	struct api *api;
	struct engine *engine;
	struct MHD_Connection *connection;
	const struct api_route *route;
	char *id;	      /* of "/{id}", or NULL */
	enum api_right right; /* of the client */
	uid_t uid;
	GByteArray *body;
	struct text_guard guard; /* of the body */
	enum text_fault fault;	 /* that it has found */
	uint64_t fault_at;
	size_t wasted; /* of a body that was refused */
	unsigned int status;
	struct MHD_Response *response; /* NULL: not answered yet */
	size_t reply_bytes;	       /* of the response */
	size_t held;		       /* of them counted, once it was sent or while it grows */
	uint64_t generation;	       /* for the ETag; 0: the one that holds now */
	bool handled;
	bool queued, had_turn; /* a client that may only read, while another is answered */

	/* PUT /v1/interfaces/{id}?wait=: suspended until the interface filters or the time is up */
	guint wait_timer;
	bool (*waited)(struct api_request *request, bool late);
	bool created;
	int64_t since_us; /* GET /v1/policy: when it began to wait (monotonic) */
};

/* The table; a NULL method ends it. */
extern const struct api_route api_routes[];

/* -------------------------------------------------- answers */

/* Takes json. */
void api_reply(struct api_request *request, unsigned int status, json_t *json);
/* Takes text (g_free). */
void api_reply_text(struct api_request *request, unsigned int status, const char *type, char *text);
/* The same of bytes that it shares with others. */
void api_reply_bytes(struct api_request *request, unsigned int status, const char *type,
		     GBytes *bytes);
/* One error in the form of INTERFACES.md; fix may be NULL. */
void api_fail(struct api_request *request, unsigned int status, const char *code, const char *fix,
	      const char *format, ...) G_GNUC_PRINTF(5, 6);
/* 503: rulesd is being stopped. */
void api_fail_stopping(struct api_request *request);
void api_fail_diag(struct api_request *request, unsigned int status, const struct diag *diag);
/* What the engine returned, as its header lists them. */
void api_fail_engine(struct api_request *request, int err, const struct diag *diag);

/* -------------------------------------------------- questions */

/* NULL when it was not given. */
const char *api_query(const struct api_request *request, const char *key);
/* "1", "true" or nothing behind the name; false when it is not given. -EINVAL: has been answered.
 */
int api_query_bool(struct api_request *request, const char *key, bool *value);
/* The body as JSON; NULL: has been answered with 400. The caller owns it. */
json_t *api_body_json(struct api_request *request);
/* The body itself, with a NUL behind it, which is the caller's (g_free) and the request's no more:
 * a policy of a million members is not held twice. There must be one. */
char *api_take_body(struct api_request *request, size_t *length);

/* api_match.c: answers with 412, or 400, when If-Match or If-None-Match say so. */
void api_check_match(struct api_request *request);

/* -------------------------------------------------- events */

struct api_events;
struct api_events *api_events_of(struct api_request *request);

/* -------------------------------------------------- waiting */

/* Suspends the request for at most this many seconds; then, or when the state of any interface
 * changed, again is called, and returns true when it has answered. late: the time is up. */
void api_wait(struct api_request *request, unsigned int seconds);
/* The same for another reason: waited is asked instead, and says whether it has answered; or
 * whoever has answered resumes the request. */
typedef bool (*api_waited_fn)(struct api_request *request, bool late);
void api_wait_for(struct api_request *request, unsigned int seconds, api_waited_fn waited);
void api_resume(struct api_request *request);
/* api_interfaces.c: the answer to a request that waited. */
bool api_interface_waited(struct api_request *request, bool late);

/* -------------------------------------------------- answers that take long */

/* Makes one part of an answer, of a millisecond or less; true: there is more to do, else it has
 * answered. */
typedef bool (*api_part_fn)(struct api_request *request, void *work);
/* Has part called until it has answered: at once while that takes some milliseconds, then between
 * everything else (api_parts.h). Takes work. */
void api_in_parts(struct api_request *request, api_part_fn part, void *work,
		  GDestroyNotify work_free);
/* An answer that grows has so many bytes now; false: answered, for the memory of others. */
bool api_may_hold(struct api_request *request, size_t bytes);

/* api_policy_text.c: the text that is worked out now, or NULL; and forgetting it at the end. */
struct api_text;
struct api_text **api_text_of(struct api_request *request);
void api_text_forget(struct api_text **text);

/* -------------------------------------------------- objects */

json_t *api_interface_json(const struct engine *engine, const struct model_interface *iface);
json_t *api_result_json(const struct engine_result *result);
json_t *api_string_or_null(const char *text);
/* sg-web in the rule's own network, blue:sg-web elsewhere; "any", a CIDR, a prefix list. */
char *api_peer_text(const struct model_peer *peer, const char *network);

/* -------------------------------------------------- handlers, one file a resource */

void api_get_status(struct api_request *request);
void api_get_policy(struct api_request *request);
void api_put_policy(struct api_request *request);
void api_patch_policy(struct api_request *request);
void api_get_generations(struct api_request *request);
void api_post_confirm(struct api_request *request);
void api_post_rollback(struct api_request *request);
void api_get_interfaces(struct api_request *request);
void api_get_interface(struct api_request *request);
void api_put_interface(struct api_request *request);
void api_delete_interface(struct api_request *request);
void api_get_groups(struct api_request *request);
void api_get_members(struct api_request *request);
void api_get_prefix_lists(struct api_request *request);
void api_get_rules(struct api_request *request);
void api_get_services(struct api_request *request);
void api_get_stats(struct api_request *request);
void api_get_flows(struct api_request *request);
void api_delete_flows(struct api_request *request);
void api_post_flows(struct api_request *request);
void api_get_events(struct api_request *request);
void api_post_trace(struct api_request *request);
void api_get_verify(struct api_request *request);
void api_post_verify(struct api_request *request);
void api_get_metrics(struct api_request *request);
