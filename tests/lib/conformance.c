/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conformance.c - AWS-shaped security groups and network interfaces to a policy of ours.
 *
 * Groups keep their ids, members are the PrivateIpAddress of the interfaces that carry a group, a
 * permission becomes a rule. The conversion is strict: what it does not know is an error, so that
 * no part of a state is tested in a weaker form.
 */
#include "tests/lib/conformance.h"

#include "rulesd/cleanup.h"

#include <string.h>
#include <zlib.h>

static void interface_free(void *data)
{
	struct conformance_interface *iface = data;

	g_free(iface->id);
	g_free(iface->address);
	g_free(iface);
}

static void state_free(void *data)
{
	struct conformance_state *state = data;

	g_free(state->id);
	g_free(state->description);
	g_free(state->policy);
	g_ptr_array_unref(state->interfaces);
	g_array_unref(state->probes);
	g_free(state);
}

static struct conformance_state *state_new(void)
{
	struct conformance_state *state = g_new0(struct conformance_state, 1);

	state->interfaces = g_ptr_array_new_with_free_func(interface_free);
	state->probes = g_array_new(FALSE, TRUE, sizeof(struct conformance_probe));
	return state;
}

static void cleanup_state(struct conformance_state **state)
{
	if (*state)
		state_free(*state);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Adds what array lists under key, each a peer of a rule. */
static void add_peers(json_t *peers, json_t *array, const char *key)
{
	size_t i = 0;
	json_t *entry = NULL;

	json_array_foreach (array, i, entry)
		json_array_append_new(peers, json_string(text_of(entry, key)));
}

static json_t *range_of(const json_t *from, const json_t *to)
{
	g_autofree char *range = g_strdup_printf("%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT,
						 json_integer_value(from), json_integer_value(to));

	return json_pack("[s]", range);
}

/* The rule of one permission; NULL when it says what the conversion does not know. */
static json_t *rule_of(const json_t *permission, const char *peer_key)
{
	AUTO_JSON json_t *peers = json_array();
	const char *protocol = text_of(permission, "IpProtocol");
	const json_t *from = json_object_get(permission, "FromPort");
	const json_t *to = json_object_get(permission, "ToPort");
	json_t *rule = NULL;
	bool all = !strcmp(protocol, "-1");

	if (!all && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return NULL;
	if (all ? from || to : !json_is_integer(from) || !json_is_integer(to))
		return NULL;
	if (json_array_size(json_object_get(permission, "PrefixListIds")))
		return NULL;
	add_peers(peers, json_object_get(permission, "IpRanges"), "CidrIp");
	add_peers(peers, json_object_get(permission, "Ipv6Ranges"), "CidrIpv6");
	add_peers(peers, json_object_get(permission, "UserIdGroupPairs"), "GroupId");
	if (!json_array_size(peers))
		return NULL;
	rule = json_pack("{s:s, s:O}", "protocol", all ? "all" : protocol, peer_key, peers);
	if (!all && json_equal(from, to))
		json_object_set_new(rule, "ports", json_pack("[O]", from));
	else if (!all)
		json_object_set_new(rule, "ports", range_of(from, to));
	return rule;
}

/* Rules of one direction, or NULL. */
static json_t *rules_of(json_t *permissions, const char *peer_key)
{
	AUTO_JSON json_t *rules = json_array();
	size_t i = 0;
	json_t *permission = NULL;

	json_array_foreach (permissions, i, permission) {
		json_t *rule = rule_of(permission, peer_key);

		if (!rule)
			return NULL;
		json_array_append_new(rules, rule);
	}
	return TAKE_PTR(rules);
}

static json_t *groups_of(const json_t *line, char **error)
{
	AUTO_JSON json_t *groups = json_object();
	size_t i = 0;
	json_t *group = NULL;

	json_array_foreach (json_object_get(line, "SecurityGroups"), i, group) {
		const char *id = text_of(group, "GroupId");
		AUTO_JSON json_t *ingress =
			rules_of(json_object_get(group, "IpPermissions"), "from");
		AUTO_JSON json_t *egress =
			rules_of(json_object_get(group, "IpPermissionsEgress"), "to");

		if (!*id || !ingress || !egress) {
			*error = g_strdup_printf("group '%s': a permission that is not converted",
						 id);
			return NULL;
		}
		json_object_set_new(groups, id,
				    json_pack("{s:s, s:O, s:O}", "description",
					      text_of(group, "GroupName"), "ingress", ingress,
					      "egress", egress));
	}
	return TAKE_PTR(groups);
}

/* devices remembers the number of every interface id seen so far. */
static struct conformance_interface *interface_new(const json_t *source, GHashTable *devices)
{
	struct conformance_interface *iface = g_new0(struct conformance_interface, 1);
	unsigned int number = g_hash_table_size(devices);
	void *known = NULL;

	iface->id = g_strdup(text_of(source, "NetworkInterfaceId"));
	iface->address = g_strdup(text_of(source, "PrivateIpAddress"));
	if (g_hash_table_lookup_extended(devices, iface->id, NULL, &known))
		number = GPOINTER_TO_UINT(known);
	else
		g_hash_table_insert(devices, g_strdup(iface->id), GUINT_TO_POINTER(number));
	g_snprintf(iface->device, sizeof(iface->device), "tap%u", number);
	g_snprintf(iface->mac, sizeof(iface->mac), "52:54:00:c0:%02x:%02x", number >> 8 & 0xff,
		   number & 0xff);
	return iface;
}

/* Fills state->interfaces and returns the policy's "interfaces". */
static json_t *interfaces_of(const json_t *line, struct conformance_state *state,
			     GHashTable *devices)
{
	json_t *interfaces = json_object();
	size_t i = 0;
	json_t *source = NULL;

	json_array_foreach (json_object_get(line, "NetworkInterfaces"), i, source) {
		struct conformance_interface *iface = interface_new(source, devices);
		json_t *groups = json_array();

		g_ptr_array_add(state->interfaces, iface);
		add_peers(groups, json_object_get(source, "Groups"), "GroupId");
		json_object_set_new(interfaces, iface->id,
				    json_pack("{s:s, s:s, s:[s], s:o}", "device", iface->device,
					      "mac", iface->mac, "addresses", iface->address,
					      "groups", groups));
	}
	return interfaces;
}

static const struct conformance_interface *find(const struct conformance_state *state,
						const char *id)
{
	for (unsigned int i = 0; i < state->interfaces->len; i++) {
		const struct conformance_interface *iface = state->interfaces->pdata[i];

		if (!strcmp(iface->id, id))
			return iface;
	}
	return NULL;
}

static int add_probe(struct conformance_state *state, json_t *source, char **error)
{
	struct conformance_probe probe = {0};
	const char *from = NULL;
	const char *to = NULL;
	const char *protocol = NULL;
	int port = 0;
	int egress = 0;
	int ingress = 0;
	int both = 0;

	if (json_unpack(source, "[s,s,s,i,b,b,b!]", &from, &to, &protocol, &port, &egress, &ingress,
			&both)) {
		*error = g_strdup("a probe of another shape");
		return -EINVAL;
	}
	probe.source = find(state, from);
	probe.destination = find(state, to);
	if (!strcmp(protocol, "tcp"))
		probe.protocol = IPPROTO_TCP;
	else if (!strcmp(protocol, "udp"))
		probe.protocol = IPPROTO_UDP;
	if (!probe.source || !probe.destination || !probe.protocol || port < 1 || port > 65535) {
		*error = g_strdup_printf("probe %s -> %s %s %d", from, to, protocol, port);
		return -EINVAL;
	}
	probe.port = (uint16_t)port;
	probe.egress = egress;
	probe.ingress = ingress;
	probe.both = both;
	g_array_append_val(state->probes, probe);
	return 0;
}

static struct conformance_state *state_of(const json_t *line, GHashTable *devices, char **error)
{
	CLEANUP(cleanup_state) struct conformance_state *state = state_new();
	AUTO_JSON json_t *groups = groups_of(line, error);
	AUTO_JSON json_t *policy = NULL;
	size_t i = 0;
	json_t *probe = NULL;

	if (!groups)
		return NULL;
	state->id = g_strdup(text_of(line, "id"));
	state->description = g_strdup(text_of(line, "description"));
	policy = json_pack("{s:i, s:O, s:o}", "version", 1, "groups", groups, "interfaces",
			   interfaces_of(line, state, devices));
	state->policy = json_dumps(policy, JSON_INDENT(2));
	json_array_foreach (json_object_get(line, "Probes"), i, probe) {
		if (add_probe(state, probe, error))
			return NULL;
	}
	return TAKE_PTR(state);
}

static char *read_gzip(const char *path)
{
	GString *text = g_string_new(NULL);
	gzFile file = gzopen(path, "rbe");
	char buffer[16384];
	int got = file ? 1 : -1;

	while (got > 0) {
		got = gzread(file, buffer, sizeof(buffer));
		if (got > 0)
			g_string_append_len(text, buffer, got);
	}
	if (file)
		gzclose(file);
	return g_string_free(text, got < 0);
}

GPtrArray *conformance_load(const char *path, char **error)
{
	g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func(state_free);
	g_autoptr(GHashTable) devices =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *text = read_gzip(path);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	if (!lines) {
		*error = g_strdup_printf("cannot read %s", path);
		return NULL;
	}
	for (char **line = lines; *line && **line; line++) {
		AUTO_JSON json_t *object = json_loads(*line, 0, NULL);
		g_autofree char *why = NULL;
		struct conformance_state *state = object ? state_of(object, devices, &why) : NULL;

		if (!state) {
			*error = g_strdup_printf("%s:%td: %s", path, line - lines + 1,
						 why ? why : "not JSON");
			return NULL;
		}
		g_ptr_array_add(states, state);
	}
	return TAKE_PTR(states);
}
