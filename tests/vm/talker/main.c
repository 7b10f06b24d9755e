/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - talker: what busybox has no program for, in guests and on the host's side.
 *
 *   talker echo PORT                  answers every UDP datagram with itself, both families
 *   talker ask ADDRESS PORT SIZE...   sends a datagram of each size and wants it back: a line
 *                                     "SIZE ok" or "SIZE lost" each; exits 1 if one is lost
 *   talker upload ADDRESS PORT FILE   over TCP, in writes of 64 KB (those of busybox's nc are 1 KB)
 *   talker advertise DEVICE PREFIX    one router advertisement with an autonomous /64
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define ROOM	   65536u
#define ANSWER_S   5
#define LIFETIME_S 1800u

static int fail(const char *what)
{
	fprintf(stderr, "talker: %s: %s\n", what, strerror(errno));
	return 1;
}

static int echo(char **words)
{
	static uint8_t datagram[ROOM];
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	AUTO_FD int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	own.sin6_port = htons((uint16_t)strtoul(words[0], NULL, 10));
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return fail("bind");
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from,
				       &length);

		if (got < 0 && errno != EINTR)
			return fail("recvfrom");
		if (got >= 0 &&
		    sendto(fd, datagram, (size_t)got, 0, (struct sockaddr *)&from, length) < 0)
			fail("sendto");
	}
}

static int ask_size(int fd, size_t size)
{
	static uint8_t sent[ROOM], back[ROOM];
	ssize_t got;

	for (size_t i = 0; i < size; i++)
		sent[i] = (uint8_t)rand();
	if (send(fd, sent, size, 0) < 0) {
		printf("%zu lost (%s)\n", size, strerror(errno));
		return 1;
	}
	do /* what comes late from the size before is not the answer */
		got = recv(fd, back, sizeof(back), 0);
	while (got >= 0 && ((size_t)got != size || memcmp(sent, back, size) != 0));
	printf("%zu %s\n", size, got < 0 ? "lost" : "ok");
	return got < 0;
}

static int ask(char **words)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
	const struct timeval wait = {.tv_sec = ANSWER_S};
	struct addrinfo *to = NULL;
	int lost = 0;
	AUTO_FD int fd = -1;

	if (getaddrinfo(words[0], words[1], &hints, &to) != 0)
		return fail(words[0]);
	fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		lost = fail("connect");
	freeaddrinfo(to);
	for (char **size = words + 2; !lost && *size; size++)
		lost |= ask_size(fd, strtoul(*size, NULL, 10) % ROOM);
	return lost;
}

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

static int upload(char **words)
{
	static uint8_t bytes[ROOM];
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *to = NULL;
	AUTO_FD int file = open(words[2], O_RDONLY | O_CLOEXEC);
	AUTO_FD int fd = -1;
	ssize_t got;

	if (file < 0 || getaddrinfo(words[0], words[1], &hints, &to) != 0)
		return fail(words[2]);
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
		freeaddrinfo(to);
		return fail("connect");
	}
	freeaddrinfo(to);
	while ((got = read(file, bytes, sizeof(bytes))) > 0)
		if (write_all(fd, bytes, (size_t)got) < 0)
			return fail("write");
	shutdown(fd, SHUT_WR);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	return 0;
}

/* RFC 4861, 4.2 and 4.6.2. The kernel fills in the checksum and the link-local source. */
static int advertise(char **words)
{
	struct {
		struct nd_router_advert router;
		struct nd_opt_prefix_info prefix;
	} message = {
		.router = {.nd_ra_type = ND_ROUTER_ADVERT,
			   .nd_ra_curhoplimit = 64,
			   .nd_ra_router_lifetime = htons(LIFETIME_S)},
		.prefix = {.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
			   .nd_opt_pi_len = 4,
			   .nd_opt_pi_prefix_len = 64,
			   .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
			   .nd_opt_pi_valid_time = htonl(LIFETIME_S),
			   .nd_opt_pi_preferred_time = htonl(LIFETIME_S)},
	};
	struct sockaddr_in6 everybody = {.sin6_family = AF_INET6};
	AUTO_FD int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	int hops = 255;

	everybody.sin6_scope_id = if_nametoindex(words[0]);
	inet_pton(AF_INET6, "ff02::1", &everybody.sin6_addr);
	if (inet_pton(AF_INET6, words[1], &message.prefix.nd_opt_pi_prefix) != 1)
		return fail(words[1]);
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0 ||
	    sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&everybody,
		   sizeof(everybody)) < 0)
		return fail("cannot send a router advertisement");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int words;
		int (*run)(char **words);
	} verbs[] = {{"echo", 1, echo},
		     {"ask", 3, ask},
		     {"upload", 3, upload},
		     {"advertise", 2, advertise}};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].verb) == 0 && argc - 2 >= verbs[i].words)
			return verbs[i].run(argv + 2);
	fprintf(stderr,
		"usage: talker echo PORT | ask ADDRESS PORT SIZE... | upload ADDRESS PORT FILE | advertise DEVICE "
		"PREFIX\n");
	return 2;
}
