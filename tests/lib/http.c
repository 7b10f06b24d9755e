/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.c - see http.h.
 */
#include "tests/lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/patience.h"

static size_t receive(char *data, size_t size, size_t count, void *to)
{
	g_string_append_len(to, data, (gssize)(size * count));
	return size * count;
}

static size_t receive_header(char *data, size_t size, size_t count, void *to)
{
	struct http_answer *answer = to;
	g_autofree char *line = g_strstrip(g_strndup(data, size * count));

	if (g_ascii_strncasecmp(line, "etag: ", 6) == 0)
		answer->etag = g_strdup(line + 6);
	if (g_ascii_strncasecmp(line, "allow: ", 7) == 0)
		answer->allow = g_strdup(line + 7);
	return size * count;
}

struct http_answer http_request(const char *socket_path, const char *method, const char *path,
				const char *body, const char *header)
{
	struct http_answer answer = {0};
	GString *text = g_string_new(NULL);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	g_autofree char *url = g_strconcat("http://localhost", path, NULL);
	CURL *curl = curl_easy_init();

	if (header)
		headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)GIVE_UP_MS);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	answer.text = g_string_free(text, FALSE);
	answer.json = json_loads(answer.text, JSON_DECODE_ANY, NULL);
	return answer;
}

void http_free(struct http_answer *answer)
{
	g_free(answer->text);
	g_free(answer->etag);
	g_free(answer->allow);
	json_decref(answer->json);
}

long http_status_as(const struct http_peer *peer, const char *socket_path, const char *method,
		    const char *path, const char *body)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		fail_msg("fork: %s", strerror(errno));
	if (pid == 0) {
		AUTO_HTTP struct http_answer answer = {0};
		const size_t count = peer->group == peer->gid ? 0 : 1;

		if (setgroups(count, &peer->group) || setresgid(peer->gid, peer->gid, peer->gid) ||
		    setresuid(peer->uid, peer->uid, peer->uid))
			_exit(255);
		answer = http_request(socket_path, method, path, body, NULL);
		/* 200 to 501 do not fit into an exit status. */
		_exit((int)(answer.status / 100 * 40 + answer.status % 100));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 255)
		fail_msg("the process of uid %u failed", peer->uid);
	status = WEXITSTATUS(status);
	return status / 40 * 100 + status % 40;
}

int http_send_bytes(const char *socket_path, const char *bytes, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		fail_msg("%s: %s", socket_path, strerror(errno));
	return fd;
}

struct http_answer http_expect(const char *socket_path, long status, const char *method,
			       const char *path, const char *body, const char *header)
{
	struct http_answer answer = http_request(socket_path, method, path, body, header);

	if (answer.status != status)
		fail_msg("%s %s answers %ld, not %ld: %s", method, path, answer.status, status,
			 answer.text);
	return answer;
}

void http_refuses(const char *socket_path, long status, const char *code, const char *method,
		  const char *path, const char *body)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(socket_path, status, method, path, body, NULL);
	const json_t *first = json_array_get(json_object_get(answer.json, "errors"), 0);
	const char *seen = json_string_value(json_object_get(first, "code"));

	if (g_strcmp0(seen, code) != 0 || !json_is_string(json_object_get(first, "message")))
		fail_msg("%s %s: not the error %s: %s", method, path, code, answer.text);
}
