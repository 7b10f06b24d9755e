/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk_stray.c - frames of no conversation, and what makes a frame wrong.
 */
#include <glib.h>

#include "tests/fuzz/talk_internal.h"

/* Fragments of one test never meet those of another: they outlive it by 30 seconds. */
unsigned int talk_fresh_id(void)
{
	static unsigned int last;

	last = (last + 1) & 0xffff;
	return last;
}

static char *stray_link(const char *own, const char *other, enum sg_dir dir)
{
	const char *from = dir == SG_EGRESS ? own : other, *to = dir == SG_EGRESS ? other : own;

	if (random_chance(15))
		return g_strdup_printf("eth ethertype=%d len=46", g_random_int_range(0, 65536));
	return g_strdup_printf("arp %s > %s op=%d%s", random_chance(80) ? from : "0.0.0.0", to,
			       talk_up_to(4), random_chance(20) ? " sha=9" : "");
}

static char *stray_v4(const char *from, const char *to)
{
	switch (talk_up_to(4)) {
	case 0:
		return g_strdup_printf("dhcp %s > %s type=%d", random_chance(50) ? "0.0.0.0" : from,
				       random_chance(50) ? "255.255.255.255" : to, talk_up_to(9));
	case 1:
		return g_strdup_printf("udp %s:%u > %s:%u", from, random_port(), to, random_port());
	case 2:
		return g_strdup_printf("icmp %s > %s type=%d code=%d id=1", from, to,
				       talk_up_to(20), talk_up_to(2));
	default:
		return g_strdup_printf("ip/%d %s > %s len=%d opts=%d", talk_up_to(256), from, to,
				       talk_up_to(40), talk_up_to(10));
	}
}

static char *stray_v6(const char *from, const char *to, const char *own)
{
	static const char *const kinds[] = {"ns", "na", "rs", "ra", "redirect"};
	static const char *const exts[] = {"h",	     "d",	"r",  "R",  "a",
					   "hd",     "hdra",	"f",  "ff", "hdrafd",
					   "dddddd", "ddddddd", "dh", "n",  "aaaaaa"};
	const char *kind = RANDOM_PICK(kinds);

	switch (talk_up_to(6)) {
	case 0:
	case 1:
		return g_strdup_printf(
			"%s %s > %s target=%s%s", kind,
			random_chance(80) ? from : "::", random_chance(80) ? to : "ff02::1",
			random_chance(60) ? own : random_address(true, true),
			random_chance(10) ? " ttl=64" : "");
	case 2:
		return g_strdup_printf("mld %s > ff02::16 group=ff02::5 type=%d",
				       random_chance(50) ? "::" : from, 130 + talk_up_to(14));
	case 3:
		return g_strdup_printf("dhcp6 %s > %s type=%d",
				       random_chance(50) ? "fe80::5054:ff:fe00:1" : from,
				       random_chance(50) ? "ff02::1:2" : to, talk_up_to(9));
	case 4:
		return g_strdup_printf("icmp6 %s > %s type=%d code=%d id=1", from, to,
				       talk_up_to(160), talk_up_to(2));
	default:
		return g_strdup_printf("udp [%s]:%u > [%s]:%u ext=%s", from, random_port(), to,
				       random_port(), RANDOM_PICK(exts));
	}
}

char *talk_stray(size_t vm, enum sg_dir *dir)
{
	bool v6 = random_chance(50);
	const char *own = v6 ? random_vms[vm].v6 : random_vms[vm].v4;
	const char *mine = random_chance(75) ? own : random_address(v6, true);
	const char *other = random_address(v6, true);

	*dir = random_chance(50) ? SG_EGRESS : SG_INGRESS;
	if (!v6 && random_chance(30))
		return stray_link(mine, other, *dir);
	if (*dir == SG_INGRESS) {
		const char *swap = mine;

		mine = other;
		other = swap;
	}
	return v6 ? stray_v6(mine, other, own) : stray_v4(mine, other);
}

char *talk_garble(const char *text)
{
	static const char *const words[] = {"vlan=7",
					    "vlan=100",
					    "vlan=8",
					    "vlan=0",
					    "vlan=7/ad",
					    "vlan=7 vlan=7",
					    "dmac=255",
					    "smac=9",
					    "dmac=ff:ff:ff:ff:ff:ff",
					    "ver=4",
					    "ver=6",
					    "ver=5",
					    "opts=3",
					    "ihl=4",
					    "ihl=15",
					    "doff=4",
					    "doff=15",
					    "doff=7",
					    "udplen=7",
					    "udplen=2000",
					    "ttl=1",
					    "df",
					    "ethertype=0x0800",
					    "ethertype=0x86dd",
					    "ext=h",
					    "ext=d",
					    "ext=dd",
					    "ext=a",
					    "ext=f",
					    "ext=r",
					    "ext=ddddddd",
					    "badsum",
					    "frag=0",
					    "frag=0+",
					    "frag=8",
					    "frag=64+"};
	GString *made = g_string_new(text);

	for (int i = 1 + talk_up_to(2); i > 0; i--) {
		switch (talk_up_to(5)) {
		case 0:
			g_string_append_printf(made, " cut=%d", 14 + talk_up_to(120));
			break;
		case 1:
			g_string_append_printf(made, " pad=%d", 1 + talk_up_to(30));
			break;
		case 2:
			g_string_append_printf(made, " tot=%d", talk_up_to(120));
			break;
		case 3:
			g_string_append_printf(made, " poke=%d:%d", talk_up_to(100),
					       talk_up_to(256));
			break;
		default:
			g_string_append_printf(made, " %s", RANDOM_PICK(words));
		}
	}
	return g_string_free(made, FALSE);
}
