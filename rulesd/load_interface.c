/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_interface.c - interfaces, from a policy or from PUT /v1/interfaces/{id}. Long because each
 * field has a reader of its own.
 */
#include "rulesd/load_internal.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/names.h"
#include "rulesd/nearest.h"

/* A list of groups as some interface writes it, between its brackets; text NULL when unused. */
struct known_list {
	const char *text;
	size_t length;
	const struct model_groups *groups; /* a reference */
};

/* Many interfaces carry the same groups: a list that was read well is looked up by its text. One
 * that hashes to the place of another one takes it. */
#define KNOWN_LISTS 32768u
#define MANY	    256u

/* An interface while its fields are read; kept for the next one. */
struct load_draft {
	char *network, *description, *device, *host;
	GArray *addresses;		/* of struct sg_addr */
	GArray *allowed;		/* of struct cidr */
	GPtrArray *groups;		/* of char * */
	GArray *vlans;			/* of uint16_t */
	struct model_settings settings; /* without what stands above */
	const struct known_list *known; /* its list of groups, instead of groups */
	uint32_t groups_node;		/* 0 when it has none */
	struct known_list *lists;	/* KNOWN_LISTS of them, or NULL until there are many */
	unsigned int read;		/* interfaces until now */
};

static struct load_draft *draft_new(void)
{
	struct load_draft *draft = g_new0(struct load_draft, 1);

	draft->addresses = g_array_new(FALSE, FALSE, sizeof(struct sg_addr));
	draft->allowed = g_array_new(FALSE, FALSE, sizeof(struct cidr));
	draft->groups = g_ptr_array_new_with_free_func(g_free);
	draft->vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	return draft;
}

void load_draft_free(struct load_draft **draft)
{
	struct load_draft *own = TAKE_PTR(*draft);

	if (!own)
		return;
	for (unsigned int i = 0; own->lists && i < KNOWN_LISTS; i++)
		if (own->lists[i].text)
			model_groups_unref(own->lists[i].groups);
	g_free(own->network);
	g_free(own->description);
	g_free(own->device);
	g_free(own->host);
	g_array_unref(own->addresses);
	g_array_unref(own->allowed);
	g_ptr_array_unref(own->groups);
	g_array_unref(own->vlans);
	g_free(own->lists);
	g_free(own);
}

static struct load_draft *draft_begin(struct load *load)
{
	struct load_draft *draft = load->draft;

	if (!draft)
		draft = load->draft = draft_new();
	if (draft->network || draft->description || draft->device || draft->host) {
		g_clear_pointer(&draft->network, g_free);
		g_clear_pointer(&draft->description, g_free);
		g_clear_pointer(&draft->device, g_free);
		g_clear_pointer(&draft->host, g_free);
	}
	/* As g_array_set_size, which costs more than all the rest. */
	draft->addresses->len = draft->allowed->len = draft->vlans->len = 0;
	if (draft->groups->len)
		g_ptr_array_set_size(draft->groups, 0);
	draft->settings = (struct model_settings){.spoof_guard = true};
	draft->known = NULL;
	draft->groups_node = 0;
	if (++draft->read == MANY)
		draft->lists = g_new0(struct known_list, KNOWN_LISTS);
	return draft;
}

/* network is its own unless the draft has read another one. */
static struct model_interface *draft_finish(struct load_draft *draft, const char *id,
					    const struct model_network *network, struct place place)
{
	struct model_interface_spec spec = {
		.id = id,
		.network = draft->network ? draft->network : MODEL_DEFAULT_NETWORK,
		.groups = (const char *const *)draft->groups->pdata,
		.addresses = (const struct sg_addr *)(const void *)draft->addresses->data,
		.group_count = draft->groups->len,
		.address_count = draft->addresses->len,
		.place = place,
		.settings = draft->settings,
	};

	spec.settings.description = draft->description;
	spec.settings.device = draft->device;
	spec.settings.host = draft->host;
	spec.settings.allowed = (const struct cidr *)(const void *)draft->allowed->data;
	spec.settings.allowed_count = draft->allowed->len;
	spec.settings.vlans = (const uint16_t *)(const void *)draft->vlans->data;
	spec.settings.vlan_count = draft->vlans->len;
	if (network && draft->known)
		return model_interface_new_shared(&spec, network, draft->known->groups);
	if (network)
		spec.network = network->name;
	return model_interface_new(&spec);
}

static struct known_list *place_of_list(const struct load *load, uint32_t node)
{
	size_t length;
	const char *text = jdoc_text(load->doc, node, &length);

	return &load->draft->lists[hash_bytes(text, length) % KNOWN_LISTS];
}

static const struct known_list *find_list(const struct load *load, uint32_t node)
{
	const struct known_list *list = load->draft->lists ? place_of_list(load, node) : NULL;
	size_t length;
	const char *text = jdoc_text(load->doc, node, &length);

	return list && list->text && list->length == length && memcmp(list->text, text, length) == 0
		       ? list
		       : NULL;
}

/* The list of groups was read without an error. */
static void remember_list(struct load *load, uint32_t node, const struct model_groups *groups)
{
	struct known_list *list = load->draft->lists ? place_of_list(load, node) : NULL;

	if (!list)
		return;
	if (list->text)
		model_groups_unref(list->groups);
	list->text = jdoc_text(load->doc, node, &list->length);
	list->groups = model_groups_ref(groups);
}

/* As the kernel's dev_valid_name(). */
static bool valid_device(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == ':' || g_ascii_isspace(*p) || g_ascii_iscntrl(*p))
			return false;
	return true;
}

static void read_mac(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	struct model_settings *settings = out;
	g_autofree char *text = load_string(load, node, "as \"52:54:00:00:00:01\"");
	g_autofree char *quoted = text ? diag_quote(text) : NULL;

	(void)field;
	if (!text)
		return;
	if (mac_parse(text, settings->mac) == 0)
		settings->has_mac = true;
	else
		load_error(load, node, "mac",
			   "as \"52:54:00:00:00:01\", neither multicast nor zero",
			   "%s is no MAC address of an interface", quoted);
}

/* They say the same, and are kept in the same place. */
static bool has_device(struct load *load, uint32_t node, char *const *device)
{
	if (*device)
		load_error(load, node, "conflict", "leave one of them out",
			   "an interface has a device or a match, not both");
	return *device != NULL;
}

static void read_device(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	g_autofree char *name = load_string(load, node, "the name of a device, as \"tap0\"");
	g_autofree char *quoted = name ? diag_quote(name) : NULL;

	(void)field;
	if (name && has_device(load, node, out))
		return;
	if (name && valid_device(name))
		*(char **)out = g_steal_pointer(&name);
	else if (name)
		load_error(load, node, "device",
			   "at most 15 bytes, without '/', ':' and white space",
			   "%s is no name of a device", quoted);
}

struct match {
	char *alias;
	bool has_alias, has_mac;
	char mac[MAC_TEXT_SIZE];
};

static bool valid_alias(const char *alias)
{
	size_t length = strlen(alias);

	if (!length || length >= IFALIASZ || alias[0] == ' ' || alias[length - 1] == ' ')
		return false;
	for (const char *p = alias; *p; p++)
		if (!g_ascii_isprint(*p))
			return false;
	return true;
}

static void read_match_alias(struct load *load, const struct load_field *field, uint32_t node,
			     void *out)
{
	g_autofree char *alias = load_string(load, node, "as 'ip link set DEV alias TEXT' set it");
	g_autofree char *quoted = alias ? diag_quote(alias) : NULL;
	struct match *match = out;

	(void)field;
	match->has_alias = true;
	if (alias && valid_alias(alias))
		match->alias = g_steal_pointer(&alias);
	else if (alias)
		load_error(load, node, "device",
			   "1 to 255 printable ASCII characters, no space at either end",
			   "%s is no alias of a device", quoted);
}

static void read_match_mac(struct load *load, const struct load_field *field, uint32_t node,
			   void *out)
{
	struct model_settings settings = {0};
	struct match *match = out;

	match->has_mac = true;
	read_mac(load, field, node, &settings);
	if (settings.has_mac)
		mac_format(settings.mac, match->mac);
}

static const struct load_field match_fields[] = {
	{.name = "alias", .read = read_match_alias},
	{.name = "mac", .read = read_match_mac},
	{0},
};

static void read_match(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	struct match match = {0};
	char **device = out;

	(void)field;
	if (!load_expect(load, node, JDOC_OBJECT, "as {\"alias\": \"web-1\"}") ||
	    has_device(load, node, device))
		return;
	load_object(load, node, match_fields, &match);
	if (match.has_alias == match.has_mac)
		load_error(load, node, match.has_mac ? "conflict" : "missing", "write one of them",
			   "a match has an alias or a mac%s", match.has_mac ? ", not both" : "");
	else if (match.alias)
		*device = g_strconcat("alias:", match.alias, NULL);
	else if (match.mac[0])
		*device = g_strconcat("mac:", match.mac, NULL);
	g_free(match.alias);
}

static void read_host(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	g_autofree char *name = load_string(load, node, "the name of a host");
	g_autofree char *quoted = name ? diag_quote(name) : NULL;

	(void)field;
	if (!name)
		return;
	if (name[0] && strlen(name) <= 253 && name[strspn(name, letters)] == '\0')
		*(char **)out = g_steal_pointer(&name);
	else
		load_error(load, node, "host", "as gethostname or --host NAME says it",
			   "%s is no name of a host", quoted);
}

/* Addresses that cannot be read are kept as "::", so that the positions of the others hold. */
static void read_addresses(struct load *load, const struct load_field *field, uint32_t node,
			   void *out)
{
	GArray *addresses = *(GArray **)out;

	(void)field;
	if (!load_expect(load, node, JDOC_ARRAY, "addresses look like [\"10.0.0.5\", \"fd00::5\"]"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		struct sg_addr addr = {0};
		char text[ADDR_TEXT_SIZE];

		if (load_address(load, item, &addr) && addr_is_martian_source(&addr)) {
			load_error(load, item, "address",
				   "not unspecified, loopback, multicast or reserved",
				   "no interface can have the address %s",
				   addr_format(&addr, text));
			addr = (struct sg_addr){0};
		}
		g_array_append_val(addresses, addr);
	}
}

static void read_allowed(struct load *load, const struct load_field *field, uint32_t node,
			 void *out)
{
	GArray *allowed = *(GArray **)out;

	(void)field;
	if (!load_expect(load, node, JDOC_ARRAY, "allowed addresses look like [\"10.1.0.0/24\"]"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		struct cidr cidr = {0};

		if (load_cidr(load, item, &cidr))
			g_array_append_val(allowed, cidr);
	}
}

static bool listed(const GPtrArray *groups, const char *id)
{
	/* Longer lists are an error anyway, so this is no quadratic walk. */
	for (guint i = 0; i < groups->len && i < MODEL_MAX_GROUPS_OF_INTERFACE; i++)
		if (strcmp(groups->pdata[i], id) == 0)
			return true;
	return false;
}

/* As addresses: "" keeps the place of what cannot be read. */
static void read_groups(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	struct load_draft *draft = load->draft;

	(void)field;
	(void)out;
	draft->groups_node = node;
	draft->known = find_list(load, node);
	if (draft->known)
		return;
	if (!load_expect(load, node, JDOC_ARRAY, "groups look like [\"sg-web\"]"))
		return;
	if (!jdoc_first(load->doc, node))
		load_error(load, node, "empty", "for " MODEL_DEFAULT_GROUP " leave \"groups\" out",
			   "an interface without a group");
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		g_autofree char *id = load_string(load, item, "the id of a group");

		if (!id || !load_id(load, item, id, "group", "sg-")) {
			g_ptr_array_add(draft->groups, g_strdup(""));
			continue;
		}
		if (listed(draft->groups, id))
			load_error(load, item, "duplicate", "remove one of them",
				   "group %s is listed twice", id);
		g_ptr_array_add(draft->groups, g_steal_pointer(&id));
	}
}

static int compare_vlans(gconstpointer a, gconstpointer b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void read_vlans(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	GArray *vlans = *(GArray **)out;
	guint kept = 0;

	if (!load_expect(load, node, JDOC_ARRAY, "vlans look like [10, 20]"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		int64_t number;
		uint16_t vlan;

		if (!load_integer(load, item, field->low, field->high, &number))
			continue;
		vlan = (uint16_t)number;
		g_array_append_val(vlans, vlan);
	}
	g_array_sort(vlans, compare_vlans);
	for (guint i = 0; i < vlans->len; i++) {
		uint16_t vlan = g_array_index(vlans, uint16_t, i);

		if (!kept || g_array_index(vlans, uint16_t, kept - 1) != vlan)
			g_array_index(vlans, uint16_t, kept++) = vlan;
	}
	g_array_set_size(vlans, kept);
}

static void read_hook(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	g_autofree char *name = load_string(load, node, "auto, xdp, tcx or tc");
	g_autofree char *quoted = name ? diag_quote(name) : NULL;

	(void)field;
	if (name && hook_parse(name, out) < 0)
		load_error(load, node, "hook", "auto, xdp, tcx or tc", "there is no hook %s",
			   quoted);
}

static void read_network(struct load *load, const struct load_field *field, uint32_t node,
			 void *out)
{
	g_autofree char *name = load_string(load, node, "the name of a network");

	(void)field;
	if (name && load_id(load, node, name, "network", "")) {
		g_free(*(char **)out);
		*(char **)out = g_steal_pointer(&name);
	}
}

#define FIELD(field, reader)                                                                   \
	{                                                                                      \
		.name = #field, .read = (reader), .offset = offsetof(struct load_draft, field) \
	}
#define SETTING(field, reader)                                        \
	{                                                             \
		.name = #field, .read = (reader),                     \
		.offset = offsetof(struct load_draft, settings.field) \
	}

#define POLICY_FIELDS                                                                      \
	FIELD(description, load_text), FIELD(device, read_device), FIELD(host, read_host), \
		{.name = "match",                                                          \
		 .read = read_match,                                                       \
		 .offset = offsetof(struct load_draft, device)},                           \
		{.name = "mac",                                                            \
		 .read = read_mac,                                                         \
		 .offset = offsetof(struct load_draft, settings)},                         \
		FIELD(addresses, read_addresses), {.name = "groups", .read = read_groups}, \
		{.name = "allowed_addresses",                                              \
		 .read = read_allowed,                                                     \
		 .offset = offsetof(struct load_draft, allowed)},                          \
		SETTING(spoof_guard, load_flag),                                           \
		{.name = "vlans",                                                          \
		 .read = read_vlans,                                                       \
		 .offset = offsetof(struct load_draft, vlans),                             \
		 .low = 1,                                                                 \
		 .high = 4094},                                                            \
		SETTING(hook, read_hook), SETTING(conntrack, load_conntrack)

static const struct load_field policy_fields[] = {POLICY_FIELDS, {0}};
/* The API's object has its network beside the rest. */
static const struct load_field api_fields[] = {POLICY_FIELDS, FIELD(network, read_network), {0}};

static guint errors_of(const struct load *load)
{
	return load->diag->entries->len + load->diag->left_out;
}

/* Never NULL; what cannot be read is missing in it. network is NULL for what says it itself. */
static struct model_interface *read_interface(struct load *load, uint32_t node, const char *id,
					      const struct model_network *network,
					      struct place place)
{
	struct load_draft *draft = draft_begin(load);
	guint before = errors_of(load);
	struct model_interface *iface;

	load->remarks = 0;
	if (load_expect(load, node, JDOC_OBJECT, NULL)) {
		load_object(load, node, network ? policy_fields : api_fields, draft);
		if (!draft->groups_node)
			g_ptr_array_add(draft->groups, g_strdup(MODEL_DEFAULT_GROUP));
	}
	draft->settings.remarks = load->remarks;
	iface = draft_finish(draft, id, network, place);
	if (draft->groups_node && !draft->known && errors_of(load) == before)
		remember_list(load, draft->groups_node, iface->groups);
	return iface;
}

static void *make_policy_interface(struct load *load, uint32_t node, const char *id)
{
	return read_interface(load, node, id, load->into, jdoc_key_place(load->doc, node));
}

static void is_there(struct load *load, uint32_t node, struct model_interface *iface,
		     const struct model_interface *first)
{
	load_defined_twice(load, node, "interface", iface->id, first->place);
	model_interface_free(iface);
}

static void read_policy_interface(struct load *load, uint32_t node, const char *id)
{
	struct model_interface *iface = make_policy_interface(load, node, id);
	const struct model_interface *first = model_try_interface(load->model, load->into, iface);

	if (first)
		is_there(load, node, iface, first);
}

static void take_policy_interfaces(struct load *load, const struct load_made *made, uint32_t count)
{
	g_autofree struct model_interface **ifaces = g_new(struct model_interface *, count);
	g_autofree const struct model_interface **first =
		g_new(const struct model_interface *, count);

	for (uint32_t i = 0; i < count; i++)
		ifaces[i] = made[i].object;
	model_try_interfaces(load->model, load->into, ifaces, first, count);
	for (uint32_t i = 0; i < count; i++)
		if (first[i])
			is_there(load, made[i].node, ifaces[i], first[i]);
}

static void discard_interface(void *iface)
{
	model_interface_free(iface);
}

const struct load_section load_interfaces = {
	.kind = MODEL_KIND_INTERFACE,
	.what = "interface",
	.name = "interfaces",
	.prefix = "",
	.read = read_policy_interface,
	.make = make_policy_interface,
	.take = take_policy_interfaces,
	.discard = discard_interface,
	.large = 16384,
};

int load_interface(const char *id, const char *text, size_t length, struct model_interface **iface,
		   struct diag *diag)
{
	struct load load = {.diag = diag, .network = MODEL_DEFAULT_NETWORK};
	guint before = diag->entries->len + diag->left_out;
	struct jdoc *doc = jdoc_parse(NULL, text, length, diag);
	struct model_interface *read = NULL;

	if (!doc)
		return -EINVAL;
	load.doc = doc;
	if (load_id(&load, JDOC_ROOT, id, "interface", ""))
		read = read_interface(&load, JDOC_ROOT, id, NULL, (struct place){0});
	load_draft_free(&load.draft);
	jdoc_free(&doc);
	if (!read || diag->entries->len + diag->left_out > before) {
		model_interface_free(read);
		return -EINVAL;
	}
	read->attached = true;
	*iface = read;
	return 0;
}
