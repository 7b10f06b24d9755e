/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shape.c - see shape.h.
 */
#include "tests/bench/shape.h"

#include <glib.h>

#include "tests/bench/path.h"
#include "tests/bench/traffic.h"

#define PREFIXES 100 /* of the prefix list */

/* ------------------------------------------------------------------ the rules, in nobody's words
 */

enum peer {
	PEER_ANY,
	PEER_CIDR,
	PEER_GROUP,
	PEER_PREFIX_LIST,
};

struct rule {
	enum peer peer;
	unsigned int low, high; /* ports */
	char cidr[24];		/* of PEER_CIDR */
};

static struct rule rule_at(const struct shape *shape, bool ingress, unsigned int i)
{
	struct rule rule = {.peer = i % 4, .low = 10000 + 2 * i, .high = 10000 + 2 * i};

	if (ingress && i == shape->rules - 1)
		rule = (struct rule){PEER_GROUP, TRAFFIC_PORT_LOW, TRAFFIC_PORT_HIGH, ""};
	g_snprintf(rule.cidr, sizeof(rule.cidr), "198.%u.%u.0/24", 18 + i / 256, i % 256);
	return rule;
}

static unsigned int pairs(const struct shape *shape)
{
	return MAX(shape->pairs, 1);
}

/* All members of sg-client: those beside the path, and a of each pair. */
static unsigned int members(const struct shape *shape)
{
	return shape->members + pairs(shape);
}

static void add_member(GString *text, const struct shape *shape, unsigned int i)
{
	if (i >= shape->members)
		g_string_append_printf(text, PATH_A, i - shape->members);
	else
		g_string_append_printf(text, "10.%u.%u.%u", 1 + i / 65536, i / 256 % 256, i % 256);
}

/* One VM of the path, in words. */
struct vm {
	bool server; /* b of its pair */
	char device[16], mac[18], address[16];
};

static struct vm vm_at(unsigned int pair, bool server)
{
	struct vm vm = {.server = server};

	g_snprintf(vm.device, sizeof(vm.device), server ? PATH_B_TAP : PATH_A_TAP, pair);
	g_snprintf(vm.mac, sizeof(vm.mac), server ? PATH_B_MAC : PATH_A_MAC, pair);
	g_snprintf(vm.address, sizeof(vm.address), server ? PATH_B : PATH_A, pair);
	return vm;
}

static void add_prefix(GString *text, unsigned int i)
{
	g_string_append_printf(text, "172.20.%u.0/24", i);
}

/* ------------------------------------------------------------------ tapguard */

static void add_tapguard_rules(GString *text, const struct shape *shape, bool ingress)
{
	static const char *const peers[] = {
		[PEER_ANY] = "any", [PEER_GROUP] = "sg-client", [PEER_PREFIX_LIST] = "pl-office"};

	for (unsigned int i = 0; i < shape->rules; i++) {
		struct rule rule = rule_at(shape, ingress, i);

		g_string_append_printf(
			text, "%s{\"protocol\":\"tcp\",\"ports\":[\"%u-%u\"],\"%s\":[\"%s\"]}",
			i ? ",\n" : "", rule.low, rule.high, ingress ? "from" : "to",
			rule.peer == PEER_CIDR ? rule.cidr : peers[rule.peer]);
	}
}

static void add_tapguard_interface(GString *text, const struct shape *shape, const struct vm *vm)
{
	g_string_append_printf(text,
			       "\"%s\":{\"device\":\"%s\",\"mac\":\"%s\",\"addresses\":[\"%s\"],"
			       "\"groups\":[%s],\"hook\":\"%s\",\"conntrack\":{\"max_flows\":%u}}",
			       vm->device, vm->device, vm->mac, vm->address,
			       vm->server ? "\"sg-server\",\"sg-outwards\"" : "\"sg-client\"",
			       shape->hook, shape->max_flows);
}

char *shape_tapguard(const struct shape *shape)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{\n"
				     "\"sg-client\":{\"ingress\":[{\"protocol\":\"tcp\","
				     "\"ports\":[10000],\"from\":[\"any\"]}]},\n"
				     "\"sg-server\":{\"egress\":[],\"ingress\":[");

	add_tapguard_rules(text, shape, true);
	g_string_append(text, "]},\n\"sg-outwards\":{\"egress\":[");
	add_tapguard_rules(text, shape, false);
	g_string_append(text, "]}},\n\"prefix_lists\":{\"pl-office\":{\"entries\":[");
	for (unsigned int i = 0; i < PREFIXES; i++) {
		g_string_append(text, i ? ",\"" : "\"");
		add_prefix(text, i);
		g_string_append_c(text, '"');
	}
	g_string_append(text, "]}},\n\"interfaces\":{");
	for (unsigned int i = 0; i < 2 * pairs(shape); i++) {
		struct vm vm = vm_at(i / 2, i % 2);

		g_string_append(text, i ? ",\n" : "");
		add_tapguard_interface(text, shape, &vm);
	}
	for (unsigned int i = 0; i < shape->members; i++) {
		g_string_append_printf(text, ",\n\"m%u\":{\"addresses\":[\"", i);
		add_member(text, shape, i);
		g_string_append(text, "\"],\"groups\":[\"sg-client\"]}");
	}
	g_string_append(text, "}}\n");
	return g_string_free(text, FALSE);
}

/* ------------------------------------------------------------------ nftables, as an expert */

/* The set of the ports, or of addresses and ports, of one direction that have this peer. */
static void add_nft_set(GString *text, const struct shape *shape, bool ingress, enum peer peer)
{
	static const char *const names[] = {"any", "cidr", "group", "list"};

	g_string_append_printf(text, "\tset %s_%s { type %s; %selements = { ",
			       ingress ? "in" : "out", names[peer],
			       peer == PEER_CIDR ? "ipv4_addr . inet_service" : "inet_service",
			       peer == PEER_CIDR ? "flags interval; " : "");
	for (unsigned int i = 0, first = 1; i < shape->rules; i++) {
		struct rule rule = rule_at(shape, ingress, i);

		for (unsigned int port = rule.low; port <= rule.high && rule.peer == peer; port++) {
			g_string_append(text, first ? "" : ", ");
			if (peer == PEER_CIDR)
				g_string_append_printf(text, "%s . ", rule.cidr);
			g_string_append_printf(text, "%u", port);
			first = 0;
		}
	}
	g_string_append(text, " } }\n");
}

/* Cheap questions first; the rules of a direction are as many as there are kinds of peers. */
static void add_nft_chain(GString *text, bool ingress, const char *allow)
{
	const char *way = ingress ? "in" : "out", *remote = ingress ? "saddr" : "daddr";

	g_string_append_printf(text,
			       "\tchain b_%s {\n"
			       "\t\ttcp dport @%s_any %s\n"
			       "\t\ttcp dport @%s_group ip %s @sg_client %s\n"
			       "\t\ttcp dport @%s_list ip %s @pl_office %s\n"
			       "\t\tip %s . tcp dport @%s_cidr %s\n"
			       "\t\tdrop\n\t}\n",
			       way, way, allow, way, remote, allow, way, remote, allow, remote, way,
			       allow);
}

/* A map or set with an element for each VM: what a and b of a pair map to, or else their addresses.
 */
static void add_nft_vms(GString *text, const struct shape *shape, const char *head,
			const char *client, const char *server)
{
	g_string_append_printf(text, "\t%s; elements = { ", head);
	for (unsigned int i = 0; i < 2 * pairs(shape); i++) {
		struct vm vm = vm_at(i / 2, i % 2);

		g_string_append_printf(text, "%s%s", i ? ", " : "", vm.device);
		if (client)
			g_string_append_printf(text, " : %s", vm.server ? server : client);
		else
			g_string_append_printf(text, " . %s . %s", vm.mac, vm.address);
	}
	g_string_append(text, " } }\n");
}

char *shape_nftables(const struct shape *shape)
{
	GString *text = g_string_new("table inet bench\ndelete table inet bench\n"
				     "table inet bench {\n");

	add_nft_vms(text, shape, "set guard { type iface_index . ether_addr . ipv4_addr", NULL,
		    NULL);
	g_string_append(text, "\tset sg_client { type ipv4_addr; elements = { ");
	for (unsigned int i = 0; i < members(shape); i++) {
		g_string_append(text, i ? ", " : "");
		add_member(text, shape, i);
	}
	g_string_append(text, " } }\n\tset pl_office { type ipv4_addr; flags interval; "
			      "elements = { ");
	for (unsigned int i = 0; i < PREFIXES; i++) {
		g_string_append(text, i ? ", " : "");
		add_prefix(text, i);
	}
	g_string_append(text, " } }\n");
	for (unsigned int peer = PEER_ANY; peer <= PEER_PREFIX_LIST; peer++) {
		add_nft_set(text, shape, true, peer);
		add_nft_set(text, shape, false, peer);
	}
	add_nft_chain(text, true, "accept");
	add_nft_chain(text, false, "return");
	/* What one's egress rules allow, the other's ingress rules decide. */
	g_string_append(text, "\tchain a_out { return; }\n"
			      "\tchain a_in { tcp dport 10000 accept; drop; }\n");
	add_nft_vms(text, shape, "map outwards { type iface_index : verdict", "jump a_out",
		    "jump b_out");
	add_nft_vms(text, shape, "map inwards { type iface_index : verdict", "goto a_in",
		    "goto b_in");
	g_string_append(text, "\tchain forward {\n"
			      "\t\ttype filter hook forward priority filter; policy drop;\n"
			      "\t\tiif . ether saddr . ip saddr != @guard drop\n"
			      "\t\tct state vmap { established : accept, related : accept, "
			      "invalid : drop }\n"
			      "\t\tiif vmap @outwards\n"
			      "\t\toif vmap @inwards\n"
			      "\t}\n}\n");
	return g_string_free(text, FALSE);
}

char *shape_nftables_floor(bool conntrack)
{
	return g_strdup_printf("table inet bench\ndelete table inet bench\ntable inet bench {\n"
			       "\tchain forward {\n"
			       "\t\ttype filter hook forward priority filter; policy accept;\n"
			       "%s\t}\n}\n",
			       conntrack ? "\t\tct state { established, related } accept\n" : "");
}

/* ------------------------------------------------------------------ Neutron's shape */

char *shape_ipset(const struct shape *shape)
{
	/* hash:net, as Neutron makes them for the members of a group, which may be CIDRs. */
	GString *text = g_string_new("create NIPv4client hash:net family inet hashsize 65536 "
				     "maxelem 1048576\n"
				     "create NIPv4office hash:net family inet maxelem 65536\n");

	for (unsigned int i = 0; i < members(shape); i++) {
		g_string_append(text, "add NIPv4client ");
		add_member(text, shape, i);
		g_string_append_c(text, '\n');
	}
	for (unsigned int i = 0; i < PREFIXES; i++) {
		g_string_append(text, "add NIPv4office ");
		add_prefix(text, i);
		g_string_append_c(text, '\n');
	}
	return g_string_free(text, FALSE);
}

/* A match of the tap that a frame comes from or goes to. */
static char *device_match(const struct shape *shape, bool in, const char *device)
{
	return shape->bridged ? g_strdup_printf("-m physdev --physdev-%s %s --physdev-is-bridged",
						in ? "in" : "out", device)
			      : g_strdup_printf("-%c %s", in ? 'i' : 'o', device);
}

/* What Neutron writes for one tap: the way into its chains. */
static void add_neutron_port(GString *chains, GString *forward, GString *dispatch, GString *zones,
			     const struct shape *shape, const char *device)
{
	g_autofree char *in = device_match(shape, true, device);
	g_autofree char *out = device_match(shape, false, device);

	g_string_append_printf(chains,
			       ":neutron-openvswi-i%s - [0:0]\n:neutron-openvswi-o%s - [0:0]\n"
			       ":neutron-openvswi-s%s - [0:0]\n",
			       device, device, device);
	g_string_append_printf(forward,
			       "-A neutron-openvswi-FORWARD %s -j neutron-openvswi-sg-chain\n"
			       "-A neutron-openvswi-FORWARD %s -j neutron-openvswi-sg-chain\n",
			       out, in);
	g_string_append_printf(dispatch,
			       "-A neutron-openvswi-sg-chain %s -j neutron-openvswi-i%s\n"
			       "-A neutron-openvswi-sg-chain %s -j neutron-openvswi-o%s\n",
			       out, device, in, device);
	g_string_append_printf(zones, "-A neutron-openvswi-PREROUTING %s -j CT --zone 4097\n", in);
}

static void add_neutron_rules(GString *text, const struct shape *shape, const char *device,
			      bool ingress)
{
	const char *remote = ingress ? "src" : "dst";

	for (unsigned int i = 0; i < shape->rules; i++) {
		struct rule rule = rule_at(shape, ingress, i);

		g_string_append_printf(text, "-A neutron-openvswi-%c%s ", ingress ? 'i' : 'o',
				       device);
		if (rule.peer == PEER_CIDR)
			g_string_append_printf(text, "-%c %s ", *remote, rule.cidr);
		g_string_append(text, "-p tcp -m tcp ");
		if (rule.low == rule.high)
			g_string_append_printf(text, "--dport %u ", rule.low);
		else
			g_string_append_printf(text, "-m multiport --dports %u:%u ", rule.low,
					       rule.high);
		if (rule.peer == PEER_GROUP)
			g_string_append_printf(text, "-m set --match-set NIPv4client %s ", remote);
		if (rule.peer == PEER_PREFIX_LIST)
			g_string_append_printf(text, "-m set --match-set NIPv4office %s ", remote);
		g_string_append(text, "-j RETURN\n");
	}
}

static void add_neutron_vm(GString *text, const struct shape *shape, const struct vm *vm)
{
	const char *device = vm->device;

	g_string_append_printf(text,
			       "-A neutron-openvswi-s%1$s -s %2$s/32 -m mac --mac-source %3$s "
			       "-j RETURN\n"
			       "-A neutron-openvswi-s%1$s -j DROP\n"
			       "-A neutron-openvswi-i%1$s -m state --state RELATED,ESTABLISHED "
			       "-j RETURN\n"
			       "-A neutron-openvswi-i%1$s -d %2$s/32 -p udp -m udp --sport 67 "
			       "--dport 68 -j RETURN\n",
			       device, vm->address, vm->mac);
	if (vm->server)
		add_neutron_rules(text, shape, device, true);
	else
		g_string_append_printf(text,
				       "-A neutron-openvswi-i%s -p tcp -m tcp --dport 10000 "
				       "-j RETURN\n",
				       device);
	g_string_append_printf(
		text,
		"-A neutron-openvswi-i%1$s -m state --state INVALID -j DROP\n"
		"-A neutron-openvswi-i%1$s -j neutron-openvswi-sg-fallback\n"
		"-A neutron-openvswi-o%1$s -s 0.0.0.0/32 -d 255.255.255.255/32 -p udp "
		"-m udp --sport 68 --dport 67 -j RETURN\n"
		"-A neutron-openvswi-o%1$s -j neutron-openvswi-s%1$s\n"
		"-A neutron-openvswi-o%1$s -p udp -m udp --sport 68 --dport 67 "
		"-j RETURN\n"
		"-A neutron-openvswi-o%1$s -p udp -m udp --sport 67 --dport 68 -j DROP\n"
		"-A neutron-openvswi-o%1$s -m state --state RELATED,ESTABLISHED "
		"-j RETURN\n",
		device);
	if (vm->server)
		add_neutron_rules(text, shape, device, false);
	else
		g_string_append_printf(text, "-A neutron-openvswi-o%s -j RETURN\n", device);
	g_string_append_printf(text,
			       "-A neutron-openvswi-o%1$s -m state --state INVALID -j DROP\n"
			       "-A neutron-openvswi-o%1$s -j neutron-openvswi-sg-fallback\n",
			       device);
}

char *shape_neutron(const struct shape *shape)
{
	g_autoptr(GString) chains = g_string_new(NULL);
	g_autoptr(GString) forward = g_string_new(NULL);
	g_autoptr(GString) dispatch = g_string_new(NULL);
	g_autoptr(GString) zones = g_string_new(NULL);
	GString *text = g_string_new("*raw\n:PREROUTING ACCEPT [0:0]\n"
				     ":neutron-openvswi-PREROUTING - [0:0]\n"
				     "-A PREROUTING -j neutron-openvswi-PREROUTING\n");
	unsigned int own = 2 * pairs(shape);
	unsigned int others = shape->ports > own ? shape->ports - own : 0;

	for (unsigned int i = 0; i < others + own; i++) {
		unsigned int before = others / 2;
		g_autofree char *other = g_strdup_printf("tap%07x", i);
		struct vm vm = vm_at((i - before) / 2, (i - before) % 2);
		bool ours = i >= before && i < before + own;

		add_neutron_port(chains, forward, dispatch, zones, shape, ours ? vm.device : other);
	}
	g_string_append_printf(text,
			       "%sCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\n"
			       ":neutron-filter-top - [0:0]\n:neutron-openvswi-local - [0:0]\n"
			       ":neutron-openvswi-FORWARD - [0:0]\n"
			       ":neutron-openvswi-sg-chain - [0:0]\n"
			       ":neutron-openvswi-sg-fallback - [0:0]\n%s"
			       "-A FORWARD -j neutron-filter-top\n"
			       "-A FORWARD -j neutron-openvswi-FORWARD\n"
			       "-A neutron-filter-top -j neutron-openvswi-local\n"
			       "-A neutron-openvswi-sg-fallback -j DROP\n%s%s"
			       "-A neutron-openvswi-sg-chain -j ACCEPT\n",
			       zones->str, chains->str, forward->str, dispatch->str);
	for (unsigned int i = 0; i < own; i++) {
		struct vm vm = vm_at(i / 2, i % 2);

		add_neutron_vm(text, shape, &vm);
	}
	g_string_append(text, "COMMIT\n");
	return g_string_free(text, FALSE);
}
