/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_guard.c - what the evaluator's guard refuses and what always passes, packet by packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/eval.h"
#include "rulesd/names.h"
#include "tests/lib/build.h"
#include "tests/lib/compiled.h"

struct guard_case {
	const char *why;
	const char *iface;
	enum sg_dir direction;
	const char *src;
	const char *dst;
	uint16_t protocol;
	uint16_t sport, dport; /* or type, code */
	enum sg_reason reason;
};

#define VM_LL "fe80::5054:ff:fe00:1"

static const struct guard_case guard_cases[] = {
	{"own source", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 6, 1, 2, SG_DROP_NO_RULE},
	{"own IPv6 source", "vm", SG_EGRESS, "fd00::5", "fd00::9", 6, 1, 2, SG_DROP_NO_RULE},
	{"allowed source", "vm", SG_EGRESS, "10.8.1.2", "10.0.0.9", 6, 1, 2, SG_DROP_NO_RULE},
	{"one beyond allowed", "vm", SG_EGRESS, "10.9.0.0", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"somebody's source", "vm", SG_EGRESS, "10.0.0.6", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"somebody's IPv6 source", "vm", SG_EGRESS, "fd00::6", "fd00::9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"loopback source", "vm", SG_EGRESS, "127.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"multicast source", "vm", SG_EGRESS, "224.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"::1", "vm", SG_INGRESS, "::1", "fd00::5", 6, 1, 2, SG_DROP_MARTIAN},
	{"IPv4-compatible", "vm", SG_INGRESS, "::10.0.0.1", "fd00::5", 6, 1, 2, SG_DROP_MARTIAN},
	{"unspecified", "vm", SG_EGRESS, "0.0.0.0", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"unspecified IPv6", "vm", SG_EGRESS, "::", "fd00::9", 17, 1, 2, SG_DROP_MARTIAN},
	{"own link-local", "vm", SG_EGRESS, VM_LL, "fd00::9", 6, 1, 2, SG_DROP_NO_RULE},
	{"another link-local", "vm", SG_EGRESS, "fe80::1", "fd00::9", 6, 1, 2, SG_DROP_LINK_LOCAL},
	{"another's EUI-64", "vm", SG_EGRESS, "fe80::5054:ff:fe00:2", "fd00::9", 6, 1, 2,
	 SG_DROP_LINK_LOCAL},
	{"EUI-64 of an unknown MAC", "nomac", SG_EGRESS, "fe80::5054:ff:fe00:2", "fd00::9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"not EUI-64, unknown MAC", "nomac", SG_EGRESS, "fe80::1", "fd00::9", 6, 1, 2,
	 SG_DROP_LINK_LOCAL},
	{"IPv4 link-local", "vm", SG_EGRESS, "169.254.0.7", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"to the VM", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 6, 1, 2, SG_DROP_NO_RULE},
	{"to its allowed", "vm", SG_INGRESS, "10.0.0.9", "10.8.255.255", 6, 1, 2, SG_DROP_NO_RULE},
	{"to its link-local", "vm", SG_INGRESS, "fe80::1", VM_LL, 6, 1, 2, SG_DROP_NO_RULE},
	{"to somebody", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.6", 6, 1, 2,
	 SG_DROP_WRONG_DESTINATION},
	{"to somebody's link-local", "vm", SG_INGRESS, "fe80::1", "fe80::2", 6, 1, 2,
	 SG_DROP_WRONG_DESTINATION},
	{"multicast", "vm", SG_INGRESS, "10.0.0.9", "224.0.0.251", 17, 1, 2, SG_DROP_NO_RULE},
	{"IPv6 multicast", "vm", SG_INGRESS, "fd00::9", "ff02::fb", 17, 1, 2, SG_DROP_NO_RULE},
	{"broadcast", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 1, 2, SG_DROP_NO_RULE},
	{"own address from outside", "vm", SG_INGRESS, "10.0.0.5", "10.0.0.5", 6, 1, 2,
	 SG_DROP_LAND},
	{"allowed one from outside", "vm", SG_INGRESS, "10.8.0.5", "10.0.0.5", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, any source", "router", SG_EGRESS, "10.77.0.1", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, any destination", "router", SG_INGRESS, "10.77.0.1", "10.99.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, own from outside", "router", SG_INGRESS, "10.0.0.7", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, martian", "router", SG_EGRESS, "127.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"router, DHCP server", "router", SG_EGRESS, "10.0.0.7", "255.255.255.255", 17, 67, 68,
	 SG_DROP_NO_RULE},
	{"router advertises", "router", SG_EGRESS, "fe80::1", "ff02::1", 58, 134, 0, SG_ALLOW_ND},
	{"::/0 allowed, IPv6", "wide", SG_EGRESS, "2001:db8::7", "fd00::9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"::/0 allowed is not IPv4", "wide", SG_EGRESS, "10.0.0.6", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"::/0 allowed, own IPv4", "wide", SG_EGRESS, "10.0.0.8", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"serves DHCP", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 67, 68, SG_DROP_DHCP_SERVER},
	{"serves DHCPv6", "vm", SG_EGRESS, "fd00::5", "fd00::9", 17, 547, 546, SG_DROP_DHCP_SERVER},
	{"IPv4 547 is nothing", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 547, 546,
	 SG_DROP_NO_RULE},
	{"advertises", "vm", SG_EGRESS, VM_LL, "ff02::1", 58, 134, 0, SG_DROP_ROUTER_ADVERTISEMENT},
	{"redirects", "vm", SG_EGRESS, VM_LL, "fd00::9", 58, 137, 0, SG_DROP_ROUTER_ADVERTISEMENT},
	{"asks DHCP", "vm", SG_EGRESS, "0.0.0.0", "255.255.255.255", 17, 68, 67, SG_ALLOW_DHCP},
	{"0.0.0.0 to one host", "vm", SG_EGRESS, "0.0.0.0", "10.0.0.9", 17, 68, 67,
	 SG_DROP_MARTIAN},
	{"renews DHCP", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 68, 67, SG_ALLOW_DHCP},
	{"renews for somebody", "vm", SG_EGRESS, "10.0.0.6", "10.0.0.9", 17, 68, 67,
	 SG_DROP_SPOOFED_SOURCE},
	{"DHCP answers", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 17, 67, 68, SG_ALLOW_DHCP},
	{"DHCP answers all", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 67, 68,
	 SG_ALLOW_DHCP},
	{"another asks DHCP", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 68, 67,
	 SG_DROP_NO_RULE},
	{"asks DHCPv6", "vm", SG_EGRESS, VM_LL, "ff02::1:2", 17, 546, 547, SG_ALLOW_DHCP},
	{"DHCPv6 from fd00", "vm", SG_EGRESS, "fd00::5", "ff02::1:2", 17, 546, 547,
	 SG_DROP_NO_RULE},
	{"DHCPv6 answers", "vm", SG_INGRESS, "fe80::1", VM_LL, 17, 547, 546, SG_ALLOW_DHCP},
	{"DHCPv6 from afar", "vm", SG_INGRESS, "fd00::9", VM_LL, 17, 547, 546, SG_DROP_NO_RULE},
	{"solicits", "vm", SG_EGRESS, VM_LL, "ff02::1:ff00:9", 58, 135, 0, SG_ALLOW_ND},
	{"detects duplicates", "vm", SG_EGRESS, "::", "ff02::1:ff00:5", 58, 135, 0, SG_ALLOW_ND},
	{"solicits as somebody", "vm", SG_EGRESS, "fd00::6", "ff02::1:ff00:9", 58, 135, 0,
	 SG_DROP_SPOOFED_SOURCE},
	{"solicits a router", "vm", SG_EGRESS, VM_LL, "ff02::2", 58, 133, 0, SG_ALLOW_ND},
	{"hears a router", "vm", SG_INGRESS, "fe80::1", "ff02::1", 58, 134, 0, SG_ALLOW_ND},
	{"hears a neighbour", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 136, 0, SG_ALLOW_ND},
	{"ND with a code", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 136, 1, SG_DROP_NO_RULE},
	{"reports MLD", "vm", SG_EGRESS, VM_LL, "ff02::16", 58, 143, 0, SG_ALLOW_MLD},
	{"reports MLD early", "vm", SG_EGRESS, "::", "ff02::16", 58, 143, 0, SG_ALLOW_MLD},
	{"MLD query", "vm", SG_INGRESS, "fe80::1", "ff02::1", 58, 130, 0, SG_ALLOW_MLD},
	{"MLD from afar", "vm", SG_INGRESS, "fd00::9", "ff02::1", 58, 130, 0, SG_DROP_NO_RULE},
	{"echo reply to nothing", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 0, 0,
	 SG_DROP_NO_RULE},
	{"error about nothing", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 3, 1,
	 SG_DROP_ICMP_UNRELATED},
	{"source quench", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 4, 0, SG_DROP_NO_RULE},
	{"too big about nothing", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 2, 0,
	 SG_DROP_ICMP_UNRELATED},
	{"protocol 58 in IPv4 is no ND", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 58, 135, 0,
	 SG_DROP_NO_RULE},
};

static void fill(struct model *model)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	struct model_interface *vm, *router, *wide;
	struct model_settings settings;
	struct cidr allowed = build_cidr("10.8.0.0/16"), all_v6 = build_cidr("::/0");

	build_group(model, "default", "sg-none");
	vm = build_interface(model, "default", "vm", "tap0", "10.0.0.5 fd00::5", "sg-none");
	settings = *vm->settings;
	settings.allowed = &allowed;
	settings.allowed_count = 1;
	settings.has_mac = true;
	memcpy(settings.mac, mac, sizeof(mac));
	build_changed(model, vm, &settings);
	build_interface(model, "default", "nomac", "tap1", "10.0.0.6", "sg-none");
	router = build_interface(model, "default", "router", "tap2", "10.0.0.7", "sg-none");
	settings = *router->settings;
	settings.spoof_guard = false;
	build_changed(model, router, &settings);
	wide = build_interface(model, "default", "wide", "tap3", "10.0.0.8", "sg-none");
	settings = *wide->settings;
	settings.allowed = &all_v6;
	settings.allowed_count = 1;
	build_changed(model, wide, &settings);
}

static void the_guard_names_each_reason(void **state)
{
	struct compiled *f = *state;

	fill(f->model);
	compiled_again(f);
	for (size_t i = 0; i < G_N_ELEMENTS(guard_cases); i++) {
		const struct guard_case *c = &guard_cases[i];
		struct eval_packet packet = {
			.direction = c->direction,
			.protocol = c->protocol,
			.src = build_addr(c->src),
			.dst = build_addr(c->dst),
		};
		struct eval_verdict verdict;

		if (protocol_is_icmp(c->protocol)) {
			packet.icmp_type = (uint8_t)c->sport;
			packet.icmp_code = (uint8_t)c->dport;
		} else {
			packet.sport = c->sport;
			packet.dport = c->dport;
		}
		verdict = eval_packet(f->image, image_iface(f->image, c->iface), &packet);
		if (verdict.reason != c->reason)
			fail_msg("%s: %s, not %s", c->why, reason_name(verdict.reason),
				 reason_name(c->reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILED_TEST(the_guard_names_each_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
