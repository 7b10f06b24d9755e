/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk.c - see talk.h.
 */
#include "tests/fuzz/talk.h"

#include <glib.h>
#include <string.h>

#include "tests/fuzz/talk_internal.h"

static bool chance(int percent)
{
	return random_chance(percent);
}

int talk_up_to(int limit)
{
	return g_random_int_range(0, limit);
}

struct talk *talk_new(void)
{
	static const enum talk_kind kinds[] = {TALK_TCP,  TALK_TCP,  TALK_TCP,	TALK_TCP,
					       TALK_UDP,  TALK_PING, TALK_SCTP, TALK_SCTP,
					       TALK_FRAG, TALK_FRAG, TALK_RAW};
	struct talk *talk = g_new0(struct talk, 1);
	const struct random_vm *vm;

	talk->kind = RANDOM_PICK(kinds);
	talk->vm = (size_t)talk_up_to(RANDOM_VMS);
	talk->v6 = chance(40);
	vm = &random_vms[talk->vm];
	talk->local = chance(93) ? (talk->v6 ? vm->v6 : vm->v4) : random_address(talk->v6, true);
	do
		talk->remote = random_address(talk->v6, chance(20));
	while (strcmp(talk->remote, talk->local) == 0 && chance(90));
	talk->opener = chance(50) ? SG_EGRESS : SG_INGRESS;
	/* Few client ports, so that tuples meet again. */
	talk->port[talk->opener] = chance(90) ? 40000 + (unsigned int)talk_up_to(3) : random_port();
	talk->port[!talk->opener] = random_port();
	talk->id = (unsigned int)talk_up_to(3);
	talk->request = talk->v6 ? 128 : 8;
	if (!talk->v6 && chance(20))
		talk->request = 13 + 2 * (unsigned int)talk_up_to(3);
	return talk;
}

void talk_free(struct talk *talk)
{
	g_free(talk->last[SG_EGRESS]);
	g_free(talk->last[SG_INGRESS]);
	g_free(talk);
}

size_t talk_vm(const struct talk *talk)
{
	return talk->vm;
}

static const char *end_of(const struct talk *talk, bool local)
{
	return local ? talk->local : talk->remote;
}

char *talk_line(const struct talk *talk, const char *kind, enum sg_dir dir, bool ports)
{
	const char *src = end_of(talk, dir == SG_EGRESS), *dst = end_of(talk, dir == SG_INGRESS);
	const char *format = !ports	? "%s %s%.0u > %s%.0u"
			     : talk->v6 ? "%s [%s]:%u > [%s]:%u"
					: "%s %s:%u > %s:%u";

	return g_strdup_printf(format, kind, src, ports ? talk->port[dir] : 0, dst,
			       ports ? talk->port[!dir] : 0);
}

/* ------------------------------------------------------------------ one-line protocols */

static char *say_udp(struct talk *talk, enum sg_dir *dir)
{
	g_autofree char *line = NULL;

	*dir = talk->step == 0 || chance(55) ? talk->opener : !talk->opener;
	line = talk_line(talk, "udp", *dir, true);
	return g_strdup_printf("%s len=%d", line, talk_up_to(40));
}

static char *say_raw(struct talk *talk, enum sg_dir *dir)
{
	static const char *const protocols[] = {"ip/47", "ip/112", "ip/50", "ip/1",
						"ip/58", "ip/59",  "ip/255"};
	g_autofree char *line = NULL;

	*dir = talk->step == 0 || chance(55) ? talk->opener : !talk->opener;
	line = talk_line(talk, protocols[talk->port[0] % G_N_ELEMENTS(protocols)], *dir, false);
	return g_strdup_printf("%s len=%d", line, 8 + talk_up_to(40));
}

static char *say_ping(struct talk *talk, enum sg_dir *dir)
{
	bool answer = talk->step % 2 && chance(90);
	g_autofree char *line = NULL;
	unsigned int type = talk->request;

	/* Sometimes the other side asks, or the one that asks answers. */
	*dir = (chance(90) ? answer : !answer) ? !talk->opener : talk->opener;
	if (answer)
		type = type == 8 ? 0 : type + 1;
	line = talk_line(talk, talk->v6 ? "icmp6" : "icmp", *dir, false);
	return g_strdup_printf("%s type=%u id=%u seq=%u len=%d", line, type, talk->id, talk->step,
			       talk_up_to(20));
}

/* ------------------------------------------------------------------ SCTP */

static char *say_sctp(struct talk *talk, enum sg_dir *dir)
{
	static const struct {
		unsigned int chunk;
		bool back;
	} script[] = {{1, false}, {2, true},  {10, false}, {11, true}, {0, false}, {3, true},
		      {0, true},  {4, false}, {7, false},  {8, true},  {14, false}};
	static const unsigned int chunks[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 64, 255};
	unsigned int at = talk->step % G_N_ELEMENTS(script), chunk = script[at].chunk, tag, flags;
	bool back = script[at].back;
	g_autofree char *line = NULL;

	if (talk->step == 0 || chance(4)) {
		talk->tag[0] = g_random_int_range(1, 1000);
		talk->tag[1] = g_random_int_range(1, 1000);
	}
	if (chance(12)) {
		chunk = RANDOM_PICK(chunks);
		back = chance(50);
	}
	flags = chance(20);
	*dir = back ? !talk->opener : talk->opener;
	/* What the receiver chose; with T, what the sender did. */
	tag = chunk == 1 ? 0 : talk->tag[flags && chunk != 1 ? *dir : !*dir];
	if (chance(7))
		tag = chance(50) ? talk->tag[*dir] : (unsigned int)talk_up_to(1000);
	line = talk_line(talk, "sctp", *dir, true);
	return g_strdup_printf("%s chunk=%u cflags=%u tag=%u itag=%u", line, chunk, flags, tag,
			       chance(97) ? talk->tag[*dir] : 0);
}

/* ------------------------------------------------------------------ fragments */

/* A datagram of a few pieces, sent in order or not, once or not, in pieces that fit or do not. */
static char *say_fragment(struct talk *talk, enum sg_dir *dir)
{
	static const char *const kinds[] = {"udp", "tcp", "icmp", "sctp", "ip/47", "udp"};
	static const char *const shapes[] = {"", "", " ext=f", " ext=hf", " ext=hdf", " ext=fd"};
	const char *kind = kinds[talk->port[1] % G_N_ELEMENTS(kinds)];
	bool ports = strcmp(kind, "icmp") != 0 && kind[0] != 'i';
	unsigned int size = 16 + 8 * (talk->port[0] % 5), start, length;
	const char *shape = talk->v6 ? shapes[talk->port[0] % G_N_ELEMENTS(shapes)] : "";
	g_autofree char *line = NULL;
	bool more = true, first = talk->piece == 0;

	if (strcmp(kind, "icmp") == 0 && talk->v6)
		kind = "icmp6";
	*dir = talk->opener;
	if (first)
		talk->ipid = talk_fresh_id();
	start = talk->piece * 64;
	length = 64;
	if (talk->piece == 1 + talk->port[0] % 3) {
		more = false;
		length = (unsigned int)talk_up_to(64);
	}
	if (!first && chance(8)) {
		start = 8 * (unsigned int)talk_up_to(40);
		more = chance(70);
	}
	if (chance(5))
		length = size;
	talk->piece = more ? talk->piece + 1 : 0;
	if (chance(10))
		talk->piece = talk->piece ? talk->piece - 1 : 1;
	line = talk_line(talk, kind, *dir, ports);
	if (start == 0) {
		unsigned int header = kind[0] == 't'			 ? 20
				      : kind[0] == 's'			 ? 0
				      : kind[0] == 'i' && kind[1] == 'p' ? 0
									 : 8;

		return g_strdup_printf(
			"%s%s frag=0%s ipid=%u len=%u%s%s", line, shape, more ? "+" : "",
			talk->ipid, length > header ? length - header : 0,
			kind[0] == 't' ? " S seq=5" : "", kind[0] == 'u' ? " udplen=1000" : "");
	}
	return g_strdup_printf("%s%s frag=%u%s ipid=%u len=%u", line, shape, start, more ? "+" : "",
			       talk->ipid, length);
}

/* ------------------------------------------------------------------ errors */

/* About the last frame of one side, from whoever was on its way. */
static char *say_error(struct talk *talk, enum sg_dir *dir)
{
	enum sg_dir about = talk->last[SG_EGRESS] && (chance(50) || !talk->last[SG_INGRESS])
				    ? SG_EGRESS
				    : SG_INGRESS;
	static const unsigned int v4[] = {3, 3, 11, 12, 4, 5}, v6[] = {1, 2, 3, 4, 137};
	const char *router;

	*dir = !about;
	router = *dir == SG_EGRESS ? (talk->v6 ? random_vms[talk->vm].v6 : random_vms[talk->vm].v4)
				   : random_address(talk->v6, false);
	return g_strdup_printf(
		"%s %s > %s type=%u code=%d mtu=1400 { %s }", talk->v6 ? "icmp6" : "icmp", router,
		end_of(talk, about == SG_EGRESS), talk->v6 ? RANDOM_PICK(v6) : RANDOM_PICK(v4),
		talk_up_to(5), talk->last[about]);
}

/* ------------------------------------------------------------------ the whole */

char *talk_say(struct talk *talk, enum sg_dir *dir)
{
	char *text;

	talk->pending = false;
	if ((talk->last[0] || talk->last[1]) && chance(6))
		return say_error(talk, dir);
	talk->pending = true;
	switch (talk->kind) {
	case TALK_TCP:
		text = talk_say_tcp(talk, dir);
		break;
	case TALK_UDP:
		text = say_udp(talk, dir);
		break;
	case TALK_PING:
		text = say_ping(talk, dir);
		break;
	case TALK_SCTP:
		text = say_sctp(talk, dir);
		break;
	case TALK_FRAG:
		text = say_fragment(talk, dir);
		break;
	default:
		text = say_raw(talk, dir);
	}
	talk->said = *dir;
	g_free(talk->last[*dir]);
	talk->last[*dir] = g_strdup(text);
	return text;
}

void talk_heard(struct talk *talk, bool arrived)
{
	if (!talk->pending || !arrived)
		return;
	talk->step++;
	if (talk->kind == TALK_TCP)
		talk_tcp_heard(talk);
}
