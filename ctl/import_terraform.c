/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_terraform.c - Terraform's documents to a list of resources: state files of version 4,
 * terraform show -json of a state or a plan, and driftctl's dumps of one resource.
 *
 * Formats: "JSON Output Format" of Terraform's documentation; the state file has none, its shape
 * is statefile/version4.go of hashicorp/terraform.
 */
#include "ctl/import_terraform.h"

#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"

bool import_is_terraform(const struct import_node *root)
{
	return import_string(root, "terraform_version") || import_string(root, "format_version") ||
	       (import_has(root, "lineage") && import_has(root, "serial")) ||
	       (import_string(root, "Typ") && import_string(root, "Val"));
}

static void free_resource(void *data)
{
	struct terraform_resource *resource = data;

	g_free((char *)(uintptr_t)resource->address);
	g_free(resource);
}

/* Nodes live on the stack of the walk; those of resources outlive it. */
static struct import_node kept(struct terraform *terraform, const struct import_node *node)
{
	struct import_node copy = *node;
	struct import_node *parent;

	if (!node->parent)
		return copy;
	parent = g_new(struct import_node, 1);
	*parent = kept(terraform, node->parent);
	g_ptr_array_add(terraform->nodes, parent);
	copy.parent = parent;
	return copy;
}

static void add_resource(struct terraform *terraform, const char *type, char *address, bool data,
			 const struct import_node *values, const struct import_node *expressions)
{
	struct terraform_resource *resource = g_new0(struct terraform_resource, 1);

	resource->type = type;
	resource->address = address;
	resource->data = data;
	resource->values = kept(terraform, values);
	if (expressions)
		resource->expressions = kept(terraform, expressions);
	g_ptr_array_add(terraform->resources, resource);
}

/* ------------------------------------------------------------------ state files */

static char *index_text(const struct import_node *instance)
{
	struct import_node key = import_get(instance, "index_key");
	json_int_t number;

	if (json_is_string(key.value))
		return g_strdup_printf("[\"%s\"]", json_string_value(key.value));
	if (import_integer(&key, &number))
		return g_strdup_printf("[%" JSON_INTEGER_FORMAT "]", number);
	return g_strdup("");
}

static void read_state_resource(struct terraform *terraform, const struct import_node *node)
{
	const char *type = import_string(node, "type"), *name = import_string(node, "name");
	const char *module = import_string(node, "module"), *mode = import_string(node, "mode");
	struct import_node instances = import_get(node, "instances");

	if (!type || !name) {
		import_report_add(terraform->import->report, IMPORT_LEFT_OUT, "type", NULL, node,
				  "a resource without type and name");
		return;
	}
	for (size_t i = 0; i < import_length(&instances); i++) {
		struct import_node instance = import_at(&instances, i);
		struct import_node values = import_get(&instance, "attributes");
		g_autofree char *index = index_text(&instance);

		if (json_is_object(values.value))
			add_resource(terraform, type,
				     g_strdup_printf("%s%s%s.%s%s", module ? module : "",
						     module ? "." : "", type, name, index),
				     !g_strcmp0(mode, "data"), &values, NULL);
		else
			import_report_add(
				terraform->import->report, IMPORT_LEFT_OUT, "attributes", name,
				&instance,
				"an instance without \"attributes\" (of a provider before "
				"Terraform 0.12)");
	}
}

static void read_state(struct terraform *terraform, const struct import_node *root)
{
	struct import_node resources = import_get(root, "resources");

	for (size_t i = 0; i < import_length(&resources); i++) {
		struct import_node resource = import_at(&resources, i);

		read_state_resource(terraform, &resource);
	}
}

/* ------------------------------------------------------------------ terraform show -json */

/* The configuration of a resource of this module: {"expressions": {...}}. */
static struct import_node expressions_of(const struct import_node *configuration, const char *type,
					 const char *name, struct import_node nodes[2])
{
	struct import_node none = {.file = configuration->file};

	nodes[0] = import_get(configuration, "resources");
	for (size_t i = 0; i < import_length(&nodes[0]); i++) {
		nodes[1] = import_at(&nodes[0], i);
		if (!g_strcmp0(import_string(&nodes[1], "type"), type) &&
		    !g_strcmp0(import_string(&nodes[1], "name"), name))
			return import_get(&nodes[1], "expressions");
	}
	return none;
}

static void read_module_resource(struct terraform *terraform, const struct import_node *node,
				 const struct import_node *configuration)
{
	const char *type = import_string(node, "type"), *name = import_string(node, "name");
	struct import_node values = import_get(node, "values");
	struct import_node nodes[2], expressions;

	if (!type || !json_is_object(values.value)) {
		import_report_add(terraform->import->report, IMPORT_LEFT_OUT, "type", name, node,
				  "a resource without type and values");
		return;
	}
	expressions = expressions_of(configuration, type, name, nodes);
	add_resource(terraform, type, g_strdup(import_string(node, "address")),
		     !g_strcmp0(import_string(node, "mode"), "data"), &values, &expressions);
}

/* "module.a[0].module.b" -> "b": what the configuration calls it. */
static char *call_name(const char *address)
{
	const char *last = address;

	for (const char *at = address; (at = strstr(at, "module.")); at += strlen("module."))
		last = at + strlen("module.");
	return g_strndup(last, strcspn(last, "[."));
}

static void read_module(struct terraform *terraform, const struct import_node *node,
			const struct import_node *configuration)
{
	struct import_node resources = import_get(node, "resources");
	struct import_node children = import_get(node, "child_modules");
	struct import_node calls = import_get(configuration, "module_calls");

	if (node->depth > IMPORT_MAX_DEPTH) {
		import_refuse(terraform->import, node, "too-deep", NULL,
			      "modules nested deeper than %u", IMPORT_MAX_DEPTH);
		return;
	}
	for (size_t i = 0; i < import_length(&resources); i++) {
		struct import_node resource = import_at(&resources, i);

		read_module_resource(terraform, &resource, configuration);
	}
	for (size_t i = 0; i < import_length(&children); i++) {
		struct import_node child = import_at(&children, i);
		const char *address = import_string(&child, "address");
		g_autofree char *name = call_name(address ? address : "");
		struct import_node call = import_get(&calls, name);
		struct import_node module = import_get(&call, "module");

		read_module(terraform, &child, &module);
	}
}

/* A plan's planned_values are what will be; a state has values. */
static void read_shown(struct terraform *terraform, const struct import_node *root)
{
	struct import_node planned = import_get(root, "planned_values");
	struct import_node values = planned.value ? planned : import_get(root, "values");
	struct import_node module = import_get(&values, "root_module");
	struct import_node configuration = import_get(root, "configuration");
	struct import_node of_root = import_get(&configuration, "root_module");

	read_module(terraform, &module, &of_root);
}

/* ------------------------------------------------------------------ driftctl */

/* {"Typ","Val","Err"}: the attributes of one resource, base64 of JSON, without its type. */
static void read_dump(struct terraform *terraform, const struct import_node *root)
{
	struct import_node encoded = import_get(root, "Val");
	gsize length = 0;
	g_autofree guchar *text = g_base64_decode(import_text(&encoded), &length);
	json_t *inside = json_loadb((const char *)text, length, JSON_REJECT_DUPLICATES, NULL);
	struct import_node values;
	const char *type;

	if (!json_is_object(inside)) {
		json_decref(inside);
		import_refuse(terraform->import, &encoded, "syntax", NULL,
			      "this is not the base64 form of a JSON object");
		return;
	}
	g_ptr_array_add(terraform->import->documents, inside);
	values = import_inside(&encoded, inside);
	type = import_has(&values, "security_group_id") ? "aws_security_group_rule"
							: "aws_security_group";
	add_resource(terraform, type, NULL, false, &values, NULL);
}

/* ------------------------------------------------------------------ documents */

static void read_all(struct terraform *terraform)
{
	terraform_name_resources(terraform);
	/* Attachments change interfaces, which must be there. */
	for (int attachments = 0; attachments <= 1; attachments++)
		for (guint i = 0; i < terraform->resources->len; i++) {
			const struct terraform_resource *resource = terraform->resources->pdata[i];

			if (g_str_has_suffix(resource->type, "_attachment") == (bool)attachments)
				terraform_read_resource(terraform, resource);
		}
}

void import_terraform(struct import *import, const struct import_node *root)
{
	g_autoptr(GPtrArray) resources = g_ptr_array_new_with_free_func(free_resource);
	g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	struct terraform terraform = {
		.import = import, .resources = resources, .nodes = nodes, .ids = ids};
	struct import_node version = import_get(root, "version");
	json_int_t number;

	if (!import_is_terraform(root)) {
		import_refuse(import, root, "format",
			      "a state file, or what \"terraform show -json\" prints",
			      "this is not Terraform's");
		return;
	}
	if (import_has(root, "Val")) {
		read_dump(&terraform, root);
	} else if (import_integer(&version, &number) && number != 4) {
		import_refuse(import, &version, "version", "terraform show -json",
			      "a state file of version %" JSON_INTEGER_FORMAT
			      "; version 4 (Terraform 0.12 and newer) is read",
			      number);
		return;
	} else if (version.value) {
		read_state(&terraform, root);
	} else {
		read_shown(&terraform, root);
	}
	read_all(&terraform);
}
