/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c - see client.h. */
#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/args.h"
#include "rulesd/cleanup.h"

#define DEFAULT_SOCKET	  "/run/tapguard/api.sock"
#define CONNECT_TIMEOUT_S 5L
#define RETRY_US	  20000
#define ANSWER_TIMEOUT_S  120L /* a policy of a million members takes seconds */

static void cleanup_curl(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void cleanup_headers(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

static void cleanup_string(GString **string)
{
	if (*string)
		g_string_free(*string, TRUE);
}

const char *client_socket(const struct args *args)
{
	const char *path = args_value(args, "socket");

	if (!path)
		path = getenv("TAPGUARD_SOCKET");
	return path && *path ? path : DEFAULT_SOCKET;
}

void client_add_query(GString *path, const char *key, const char *value)
{
	g_autofree char *escaped = value ? g_uri_escape_string(value, NULL, FALSE) : NULL;

	if (escaped)
		g_string_append_printf(path, "%c%s=%s", strchr(path->str, '?') ? '&' : '?', key,
				       escaped);
}

void client_add_segment(GString *path, const char *segment)
{
	g_autofree char *escaped = g_uri_escape_string(segment, NULL, FALSE);

	g_string_append_c(path, '/');
	g_string_append(path, escaped);
}

static size_t receive(char *data, size_t size, size_t count, void *to)
{
	g_string_append_len(to, data, (gssize)(size * count));
	return size * count;
}

static void add(struct diag *diag, const char *code, const char *fix, const char *message)
{
	diag_add(diag, code, (struct place){0}, NULL, fix, "%s", message);
}

/* Who may use the socket, from its owner and mode. */
static char *permission_fix(const char *socket)
{
	struct stat status;
	const struct group *group = NULL;

	if (stat(socket, &status))
		return g_strdup("use sudo");
	if (status.st_gid != 0 && status.st_mode & S_IWGRP)
		group = getgrgid(status.st_gid);
	return group ? g_strdup_printf("use sudo, or join its group: usermod -aG %s USER",
				       group->gr_name)
		     : g_strdup(
			       "only root may use it: use sudo, or start rulesd with --socket-group");
}

static int no_answer(CURLcode code, long os_errno, const char *socket, const char *details,
		     struct diag *diag)
{
	g_autofree char *message = NULL, *fix = NULL;

	if (code == CURLE_COULDNT_CONNECT && (os_errno == EACCES || os_errno == EPERM)) {
		message = g_strdup_printf("permission denied on %s", socket);
		fix = permission_fix(socket);
		add(diag, "permission", fix, message);
		return -EACCES;
	}
	if (code == CURLE_COULDNT_CONNECT) {
		message = g_strdup_printf("no rulesd answers on %s (%s)", socket,
					  os_errno ? strerror((int)os_errno) : details);
		add(diag, "no-daemon",
		    "start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET",
		    message);
		return -ECONNREFUSED;
	}
	message = g_strdup_printf("rulesd on %s did not answer: %s", socket, details);
	add(diag, "no-answer", NULL, message);
	return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

static int refused(long status, const json_t *answer, struct diag *diag)
{
	const json_t *errors = json_object_get(answer, "errors");

	if (!json_array_size(errors) || diag_from_json(diag, errors)) {
		g_autofree char *message =
			g_strdup_printf("rulesd refused with HTTP status %ld", status);

		add(diag, "refused", NULL, message);
	}
	return status == 404 ? -ENOENT : status == 403 ? -EACCES : -EREMOTEIO;
}

/* A full backlog (EAGAIN) empties as soon as rulesd is done with what it does; libcurl does not
 * wait for that. It takes EAGAIN for a connection under way and finds, without any errno, that it
 * is none. */
static CURLcode perform_patiently(CURL *curl)
{
	const int64_t until = g_get_monotonic_time() + CONNECT_TIMEOUT_S * G_USEC_PER_SEC;
	long os_errno = 0;
	CURLcode code;

	for (;;) {
		code = curl_easy_perform(curl);
		if (code != CURLE_COULDNT_CONNECT || g_get_monotonic_time() > until)
			return code;
		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
		if (os_errno && os_errno != EAGAIN)
			return code;
		g_usleep(RETRY_US);
	}
}

static int perform(CURL *curl, const char *socket, GString *received, json_t **answer, long *status,
		   struct diag *diag)
{
	char details[CURL_ERROR_SIZE] = "";
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
	code = perform_patiently(curl);
	if (code != CURLE_OK) {
		long os_errno = 0;

		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
		return no_answer(code, os_errno, socket,
				 *details ? details : curl_easy_strerror(code), diag);
	}

	AUTO_JSON json_t *document =
		json_loadb(received->str, received->len, JSON_DECODE_ANY, NULL);
	long http = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
	if (http < 200 || http >= 300)
		return refused(http, document, diag);
	if (!document) {
		add(diag, "protocol", "is it rulesd that listens there, and of this version?",
		    "the answer is not JSON");
		return -EPROTO;
	}
	*answer = TAKE_PTR(document);
	if (status)
		*status = http;
	return 0;
}

/* A handle for one request of this path; NULL and why in diag. */
static CURL *open_handle(const struct args *args, const char *path, struct diag *diag)
{
	g_autofree char *url = g_strconcat("http://localhost", path, NULL);
	CURL *curl = curl_easy_init();

	if (!curl) {
		add(diag, "no-memory", NULL, "libcurl cannot start");
		return NULL;
	}
	if (curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client_socket(args)) != CURLE_OK) {
		add(diag, "no-daemon", NULL, "the path of the socket is too long");
		curl_easy_cleanup(curl);
		return NULL;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* an id may be ".." */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");	/* http_proxy is not about this socket */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	return curl;
}

int client_request(const struct args *args, const char *method, const char *path,
		   const json_t *body, json_t **answer, long *status, struct diag *diag)
{
	CLEANUP(cleanup_curl) CURL *curl = open_handle(args, path, diag);
	CLEANUP(cleanup_headers) struct curl_slist *headers = NULL;
	CLEANUP(cleanup_string) GString *received = g_string_new(NULL);
	g_autofree char *text = NULL;

	if (!curl)
		return -ENOTCONN;
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
	headers = curl_slist_append(NULL, "Accept: application/json");
	if (body) {
		text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
		headers = curl_slist_append(headers, "Content-Type: application/json");
		headers = curl_slist_append(headers,
					    "Expect:"); /* spares a round trip and a second */
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	return perform(curl, client_socket(args), received, answer, status, diag);
}

/* ---------------------------------------------------------------- streams */

struct stream {
	CURL *curl;
	client_line_fn line;
	void *arg;
	GString *rest; /* of a line that has not ended */
	bool over;     /* nobody wants more */
};

static size_t receive_lines(char *data, size_t size, size_t count, void *to)
{
	struct stream *stream = to;
	long status = 0;
	char *end;

	g_string_append_len(stream->rest, data, (gssize)(size * count));
	curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) /* an error, which is read as a whole */
		return size * count;
	while (!stream->over && (end = strchr(stream->rest->str, '\n'))) {
		*end = 0;
		if (*stream->rest->str && !stream->line(stream->rest->str, stream->arg))
			stream->over = true;
		g_string_erase(stream->rest, 0, end + 1 - stream->rest->str);
	}
	return stream->over ? 0 : size * count;
}

int client_stream(const struct args *args, const char *path, unsigned int seconds,
		  client_line_fn line, void *arg, struct diag *diag)
{
	CLEANUP(cleanup_curl) CURL *curl = open_handle(args, path, diag);
	CLEANUP(cleanup_string) GString *rest = g_string_new(NULL);
	struct stream stream = {.curl = curl, .line = line, .arg = arg, .rest = rest};
	char details[CURL_ERROR_SIZE] = "";
	long os_errno = 0, status = 0;
	CURLcode code;

	if (!curl)
		return -ENOTCONN;
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)seconds);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_lines);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &stream);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
	code = perform_patiently(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status && status != 200) {
		AUTO_JSON json_t *document = json_loadb(rest->str, rest->len, 0, NULL);

		return refused(status, document, diag);
	}
	if (code == CURLE_OK || stream.over || (code == CURLE_OPERATION_TIMEDOUT && status))
		return 0;
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
	return no_answer(code, os_errno, client_socket(args),
			 *details ? details : curl_easy_strerror(code), diag);
}
