/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_api.c - any bytes as what a client sends to the socket, and any question to any resource:
 * rulesd answers in HTTP, refusals in the form of its errors, and lives.
 *
 * It is rulesd's API and engine in this process, with a state directory in memory; below the engine
 * is no kernel, but nothing: what programs and maps do is not the question, and would take all of
 * the time.
 *
 * Bit 7 of the first byte chooses: set, the rest is sent as it is; else the byte is the resource,
 * and the rest is its id and query, a newline, and the body. Long because of the empty dataplane:
 * one function for each of dataplane.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rulesd/api.h"
#include "rulesd/api_request.h"
#include "rulesd/bpffs.h"
#include "rulesd/cleanup.h"
#include "rulesd/dataplane.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"
#include "tests/fuzz/fuzz.h"

#define TURNS	    40	/* of the main loop, for one answer */
#define CLEAN_EVERY 256 /* inputs, after which everything that they made goes */

/* ---------------------------------------------------------------- no kernel */

struct dataplane {
	uint64_t generation;
};

static struct dataplane plane;

int bpffs_prepare(const char *path, char **error)
{
	(void)path;
	(void)error;
	return 0;
}

int dataplane_open(const struct dataplane_options *options, struct dataplane **dataplane,
		   char **error)
{
	(void)options;
	(void)error;
	*dataplane = &plane;
	return 0;
}

void dataplane_close(struct dataplane **dataplane)
{
	*dataplane = NULL;
}

const char *dataplane_name(const struct dataplane *dataplane)
{
	(void)dataplane;
	return "none";
}

uint64_t dataplane_generation(const struct dataplane *dataplane)
{
	return dataplane->generation;
}

int dataplane_apply(struct dataplane *dataplane, const struct image *image, bool keep,
		    uint64_t *generation, unsigned int *writes, char **error)
{
	(void)image;
	(void)keep;
	(void)error;
	*generation = ++dataplane->generation;
	if (writes)
		*writes = 1;
	return 0;
}

int dataplane_apply_delta(struct dataplane *dataplane, const struct image *image,
			  const struct image_delta *delta, bool keep, uint64_t *generation,
			  unsigned int *writes, char **error)
{
	(void)delta;
	return dataplane_apply(dataplane, image, keep, generation, writes, error);
}

int dataplane_settle(struct dataplane *dataplane, bool *more)
{
	(void)dataplane;
	*more = false;
	return 0;
}

void dataplane_attach_many(struct dataplane *dataplane, const struct image *image,
			   struct dataplane_request *requests, unsigned int count)
{
	(void)dataplane;
	(void)image;
	for (unsigned int i = 0; i < count; i++) {
		requests[i].code = -EOPNOTSUPP;
		requests[i].error = g_strdup("there is no kernel");
	}
}

int dataplane_detach(struct dataplane *dataplane, uint32_t slot, char **error)
{
	(void)dataplane;
	(void)slot;
	(void)error;
	return 0;
}

int dataplane_detach_many(struct dataplane *dataplane, const uint32_t *slots, unsigned int count,
			  int *codes, char **error)
{
	(void)dataplane;
	(void)slots;
	(void)error;
	for (unsigned int i = 0; codes && i < count; i++)
		codes[i] = 0;
	return 0;
}

int dataplane_attachments(struct dataplane *dataplane, GArray *attachments, char **error)
{
	(void)dataplane;
	(void)attachments;
	(void)error;
	return 0;
}

int dataplane_attachments_from(struct dataplane *dataplane, uint32_t *next, GArray *attachments,
			       char **error)
{
	*next = 0;
	return dataplane_attachments(dataplane, attachments, error);
}

int dataplane_numbers(struct dataplane *dataplane, struct dataplane_numbers *numbers, char **error)
{
	(void)dataplane;
	(void)error;
	*numbers = (struct dataplane_numbers){0};
	return 0;
}

uint32_t dataplane_slot_device(const struct dataplane *dataplane, uint32_t slot)
{
	(void)dataplane;
	(void)slot;
	return 0;
}

int dataplane_stats(struct dataplane *dataplane, uint32_t slot, struct sg_stats *stats,
		    struct sg_slot *exact)
{
	(void)dataplane;
	(void)slot;
	(void)stats;
	(void)exact;
	return -ENOENT;
}

int dataplane_flows(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
		    bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
		    char **error)
{
	struct dataplane_flow flow = {.key.proto = 6};

	(void)dataplane;
	(void)filter;
	(void)error;
	each(&flow, arg);
	return 0;
}

int dataplane_flows_part(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			 struct dataplane_flow_walk *walk,
			 bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
			 bool *more, char **error)
{
	struct dataplane_flow flow = {.key.proto = 6};

	(void)dataplane;
	(void)filter;
	(void)error;
	*more = walk->shard++ < 2;
	if (*more)
		each(&flow, arg);
	return 0;
}

int dataplane_flows_remove(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			   unsigned int *removed, char **error)
{
	(void)dataplane;
	(void)filter;
	(void)error;
	*removed = 0;
	return 0;
}

int dataplane_collect(struct dataplane *dataplane, bool *more)
{
	return dataplane_settle(dataplane, more);
}

int dataplane_rule_stats(struct dataplane *dataplane, GHashTable **stats, char **error)
{
	(void)dataplane;
	(void)error;
	*stats = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	return 0;
}

int dataplane_events_listen(struct dataplane *dataplane, uint32_t flags, char **error)
{
	(void)dataplane;
	(void)flags;
	(void)error;
	return 0;
}

uint64_t dataplane_events_read(struct dataplane *dataplane, unsigned int most,
			       dataplane_event_fn each, void *arg)
{
	(void)dataplane;
	(void)most;
	(void)each;
	(void)arg;
	return 0;
}

void dataplane_intact(struct dataplane *dataplane, const struct image *image, uint32_t *next,
		      GArray *links, struct dataplane_harm *harm)
{
	(void)dataplane;
	(void)image;
	(void)next;
	(void)links;
	(void)harm;
}

bool dataplane_is_unmounted(const struct dataplane *dataplane)
{
	(void)dataplane;
	return false;
}

bool dataplane_links_right(struct dataplane *dataplane, uint32_t slot)
{
	(void)dataplane;
	(void)slot;
	return true;
}

const GPtrArray *dataplane_repinned(const struct dataplane *dataplane)
{
	static GPtrArray *none;

	(void)dataplane;
	if (!none)
		none = g_ptr_array_new();
	return none;
}

bool dataplane_is_migrating(const struct dataplane *dataplane)
{
	(void)dataplane;
	return false;
}

int dataplane_migrated(struct dataplane *dataplane, char **error)
{
	(void)dataplane;
	(void)error;
	return 0;
}

void dataplane_links_ask(GArray *links)
{
	(void)links;
}

void dataplane_harm_clear(struct dataplane_harm *harm)
{
	(void)harm;
}

int dataplane_early(struct dataplane *dataplane, uint32_t slot, bool on, char **error)
{
	(void)on;
	return dataplane_detach(dataplane, slot, error);
}

int dataplane_park(struct dataplane *dataplane, uint32_t slot, char **error)
{
	return dataplane_detach(dataplane, slot, error);
}

int dataplane_look(struct dataplane *dataplane, struct dataplane_attachment *attachment,
		   char **error)
{
	(void)dataplane;
	(void)attachment;
	(void)error;
	return -ENOENT;
}

char *dataplane_missing_pins(const struct dataplane *dataplane, uint32_t slot, enum model_hook hook)
{
	(void)dataplane;
	(void)slot;
	(void)hook;
	return NULL;
}

int dataplane_upgrade(struct dataplane *dataplane, const struct dataplane_request *request,
		      GSourceFunc done, void *arg, char **error)
{
	(void)dataplane;
	(void)request;
	(void)done;
	(void)arg;
	(void)error;
	return -EOPNOTSUPP;
}

/* Nothing differs from nothing. */
struct verification {
	struct dataplane_verified verified;
};

struct verification *dataplane_verify_begin(struct dataplane *dataplane, bool repair)
{
	struct verification *made = g_new0(struct verification, 1);

	(void)dataplane;
	(void)repair;
	made->verified.differences = g_ptr_array_new();
	made->verified.attach_again = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return made;
}

int dataplane_verify_step(struct verification *verification, const struct image *image, bool *more,
			  char **error)
{
	(void)verification;
	(void)image;
	(void)error;
	*more = false;
	return 0;
}

void dataplane_verify_attached(struct verification *verification, uint32_t slot, bool repaired)
{
	(void)verification;
	(void)slot;
	(void)repaired;
}

const struct dataplane_verified *dataplane_verified(const struct verification *verification)
{
	return &verification->verified;
}

void dataplane_verify_end(struct verification **verification)
{
	struct verification *ended = TAKE_PTR(*verification);

	if (!ended)
		return;
	g_ptr_array_unref(ended->verified.differences);
	g_array_unref(ended->verified.attach_again);
	g_free(ended);
}

const char *verify_kind_name(enum verify_kind kind)
{
	(void)kind;
	return "nothing";
}

/* ---------------------------------------------------------------- rulesd */

static struct options options = {.host = (char[]){"fuzz"}, .max_flows = OPTIONS_MAX_FLOWS};
static struct engine *engine;
static struct api *api;
static char *folder;

static void leave(void)
{
	const char *argv[] = {"rm", "-rf", folder, NULL};

	api_close(&api);
	engine_close(&engine);
	g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		     NULL, NULL, NULL);
	g_free(folder);
}

static void make_world(void)
{
	g_autofree char *error = NULL;

	/* Below every level: what is wrong with the input is not to be read. */
	log_setup(LOG_FORMAT_TEXT, (enum log_level) - 1);
	folder = g_strdup("/dev/shm/tapguard-fuzz-api-XXXXXX");
	FUZZ_EXPECT(g_mkdtemp(folder), "no directory");
	options.socket = g_build_filename(folder, "socket", NULL);
	options.state_dir = g_build_filename(folder, "state", NULL);
	options.bpffs = folder;
	FUZZ_EXPECT(engine_open(&options, &engine, &error) == 0, "%s", error);
	FUZZ_EXPECT(api_open(engine, &options, &api, &error) == 0, "%s", error);
	atexit(leave);
}

/* ---------------------------------------------------------------- one client */

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	FUZZ_EXPECT(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0, "%s",
		    g_strerror(errno));
	return fd;
}

static void turn(unsigned int most)
{
	for (unsigned int i = 0; i < most && g_main_context_iteration(NULL, FALSE); i++)
		;
}

/* What is answered until rulesd closes, or has nothing more to do. */
static char *ask(const char *bytes, size_t length)
{
	GString *answer = g_string_new(NULL);
	int fd = connect_to(options.socket);
	size_t sent = 0;
	char block[8192];

	for (unsigned int i = 0; i < TURNS; i++) {
		ssize_t got =
			sent < length ? send(fd, bytes + sent, length - sent, MSG_NOSIGNAL) : 0;

		sent += (size_t)MAX(got, 0);
		turn(4);
		while ((got = recv(fd, block, sizeof(block), 0)) > 0)
			g_string_append_len(answer, block, got);
		if (got == 0)
			break;
	}
	close(fd);
	turn(TURNS);
	return g_string_free(answer, FALSE);
}

static void check(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	long status = strtol(answer + strlen("HTTP/1.1 "), NULL, 10);
	AUTO_JSON json_t *json = NULL;

	FUZZ_EXPECT(body && status >= 200 && status < 600, "%.200s", answer);
	FUZZ_EXPECT(status != 500, "%s", answer);
	/* Those of libmicrohttpd have no application/json. */
	if (status < 400 || !strstr(answer, "application/json"))
		return;
	json = json_loads(body + 4, 0, NULL);
	FUZZ_EXPECT(json_array_size(json_object_get(json, "errors")), "%s", answer);
}

/* The id and the query are cleaned of what would end the request line. */
static void ask_resource(unsigned int number, const char *text, size_t length)
{
	const char *line = memchr(text, '\n', length);
	const size_t id_length = line ? (size_t)(line - text) : length;
	const size_t body_length = line ? length - id_length - 1 : 0;
	g_autofree char *id = g_strndup(text, id_length);
	g_autofree char *answer = NULL;
	g_autoptr(GString) bytes = g_string_new(NULL);
	const struct api_route *route = api_routes;
	const char *mark;
	unsigned int count = 0;

	while (api_routes[count].method)
		count++;
	route = &api_routes[number % MAX(count, 1)];
	mark = strstr(route->path, "{id}");
	for (char *at = id; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			*at = '+';
	g_string_append_printf(bytes, "%s %.*s%s%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
			       route->method,
			       mark ? (int)(mark - route->path) : (int)strlen(route->path),
			       route->path, mark ? "" : "?", id);
	g_string_append_printf(bytes, "Content-Length: %zu\r\n\r\n", body_length);
	if (body_length)
		g_string_append_len(bytes, line + 1, (gssize)body_length);
	answer = ask(bytes->str, bytes->len);
	if (*answer)
		check(answer);
}

static void clean(void)
{
	static const char empty[] = "PUT /v1/policy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				    "Content-Length: 13\r\n\r\n{\"version\":1}";
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *answer = NULL;
	GHashTableIter iter;
	gpointer network;

	g_hash_table_iter_init(&iter, engine->model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++) {
			const struct model_interface *iface = interfaces->pdata[i];

			if (iface->attached)
				g_ptr_array_add(ids, g_strdup(iface->id));
		}
	}
	for (guint i = 0; i < ids->len; i++) {
		CLEANUP(diag_free) struct diag *diag = diag_new();

		FUZZ_EXPECT(engine_delete_interface(engine, ids->pdata[i], diag) == 0, "%s stays",
			    (const char *)ids->pdata[i]);
	}
	engine_confirm_cancel(engine); /* a trial allows no other policy */
	answer = ask(empty, strlen(empty));
	FUZZ_EXPECT(strstr(answer, " 200 "), "%s", answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int inputs;

	if (!engine)
		make_world();
	if (!size)
		return 0;
	if (data[0] & 0x80) {
		g_autofree char *answer = ask((const char *)data + 1, size - 1);

		FUZZ_EXPECT(!*answer || g_str_has_prefix(answer, "HTTP/1."), "%.200s", answer);
	} else {
		ask_resource(data[0], (const char *)data + 1, size - 1);
	}
	if (++inputs % CLEAN_EVERY == 0)
		clean();
	return 0;
}
