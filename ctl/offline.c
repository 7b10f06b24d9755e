/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offline.c - see offline.h. */
#include "ctl/offline.h"

#include <string.h>

#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/nearest.h"
#include "rulesd/numbers.h"

struct offline {
	struct model *model;
	struct image *image; /* with the interfaces that were asked about, or NULL */
	struct numbers *numbers;
};

int offline_open(const GPtrArray *paths, struct offline **offline, struct diag *diag)
{
	struct model *model = NULL;
	int error = policy_files_load(paths, &model, diag);

	if (error)
		return error;
	*offline = offline_of_model(model);
	return 0;
}

struct offline *offline_of_model(struct model *model)
{
	struct offline *offline = g_new0(struct offline, 1);

	offline->model = model;
	return offline;
}

void offline_close(struct offline **offline)
{
	if (!*offline)
		return;
	image_free(&(*offline)->image);
	numbers_free(&(*offline)->numbers);
	model_free(&(*offline)->model);
	g_free(TAKE_PTR(*offline));
}

static int unknown_interface(struct model *model, const char *id, struct diag *diag)
{
	struct nearest nearest = nearest_new(id);
	g_autofree char *fix = NULL;
	GHashTableIter networks;
	void *value;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &value)) {
		const GPtrArray *ifaces = ((const struct model_network *)value)->interfaces;

		for (guint i = 0; i < ifaces->len; i++)
			nearest_offer(&nearest,
				      ((const struct model_interface *)ifaces->pdata[i])->id);
	}
	if (nearest.best)
		fix = g_strdup_printf("did you mean %s?", nearest.best);
	diag_add(diag, "unknown-interface", (struct place){0}, NULL, fix,
		 "the policy has no interface %s", id);
	return -ENOENT;
}

/* The policy once, and each interface when it is asked about. */
static int compile(struct offline *offline, const struct model_interface *iface, struct diag *diag)
{
	int error = 0;

	if (!offline->image) {
		CLEANUP(numbers_free) struct numbers *numbers = numbers_new();

		error = compile_bare_image(offline->model, numbers, &offline->image, diag);
		if (!error)
			offline->numbers = TAKE_PTR(numbers);
	}
	return error ? error : compile_interface(offline->image, iface, offline->numbers, diag);
}

int offline_trace(struct offline *offline, const char *host, const json_t *request, json_t **trace,
		  struct diag *diag)
{
	CLEANUP(trace_free) struct trace *explained = NULL;
	g_autofree char *id = NULL;
	struct eval_packet packet = {0};
	struct model_interface *iface;
	int error = trace_packet_from_json(request, &id, &packet, diag);

	if (error)
		return error;
	iface = model_interface(offline->model, id);
	if (!iface)
		return unknown_interface(offline->model, id, diag);
	if (host && iface->settings->host && strcmp(host, iface->settings->host) != 0) {
		diag_add(diag, "remote", (struct place){0}, NULL, NULL,
			 "interface %s belongs to host %s: %s does not filter it", id,
			 iface->settings->host, host);
		return -EINVAL;
	}
	error = compile(offline, iface, diag);
	if (error)
		return error;
	explained = trace_packet(offline->model, offline->image, offline->numbers, id, &packet);
	*trace = trace_to_json(explained, id, packet.direction);
	return 0;
}

int offline_compile(struct offline *offline, const char *interface,
		    struct offline_compiled *compiled, struct diag *diag)
{
	struct model_interface *iface = model_interface(offline->model, interface);
	int error;

	if (!iface)
		return unknown_interface(offline->model, interface, diag);
	error = compile(offline, iface, diag);
	if (error)
		return error;
	*compiled =
		(struct offline_compiled){offline->model, offline->image, offline->numbers, iface};
	return 0;
}
