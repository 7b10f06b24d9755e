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
	struct image *image; /* of the interface that was traced last, or NULL */
	struct numbers *numbers;
	const struct model_interface *traced;
};

int offline_open(const GPtrArray *paths, struct offline **offline, struct diag *diag)
{
	struct model *model = NULL;
	int error = policy_files_load(paths, &model, diag);

	if (error)
		return error;
	*offline = g_new0(struct offline, 1);
	(*offline)->model = model;
	return 0;
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

static void each_interface(struct model *model, void (*visit)(struct model_interface *, void *),
			   void *arg)
{
	GHashTableIter networks, interfaces;
	void *network, *iface;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&interfaces, ((struct model_network *)network)->interfaces);
		while (g_hash_table_iter_next(&interfaces, NULL, &iface))
			visit(iface, arg);
	}
}

static void offer(struct model_interface *iface, void *nearest)
{
	nearest_offer(nearest, iface->id);
}

static int unknown_interface(struct model *model, const char *id, struct diag *diag)
{
	struct nearest nearest = nearest_new(id);
	g_autofree char *fix = NULL;

	each_interface(model, offer, &nearest);
	if (nearest.best)
		fix = g_strdup_printf("did you mean %s?", nearest.best);
	diag_add(diag, "unknown-interface", (struct place){0}, NULL, fix,
		 "the policy has no interface %s", id);
	return -ENOENT;
}

/* The compiler makes an image_iface of every interface with a device on its host: that shall be the
 * traced one alone. */
static void keep_device_of(struct model_interface *iface, void *traced)
{
	g_free(TAKE_PTR(iface->device));
	if (iface == traced)
		iface->device = g_strdup("traced");
}

static int compile(struct offline *offline, struct model_interface *iface, struct diag *diag)
{
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	int error;

	if (offline->traced == iface)
		return 0;
	each_interface(offline->model, keep_device_of, iface);
	numbers = numbers_new();
	error = compile_image(offline->model, numbers, NULL, iface->host ? iface->host : "", &image,
			      diag);
	if (error)
		return error;
	image_free(&offline->image);
	numbers_free(&offline->numbers);
	offline->image = TAKE_PTR(image);
	offline->numbers = TAKE_PTR(numbers);
	offline->traced = iface;
	return 0;
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
	if (host && iface->host && strcmp(host, iface->host) != 0) {
		diag_add(diag, "remote", (struct place){0}, NULL, NULL,
			 "interface %s belongs to host %s: %s does not filter it", id, iface->host,
			 host);
		return -EINVAL;
	}
	error = compile(offline, iface, diag);
	if (error)
		return error;
	explained = trace_packet(offline->model, offline->image, offline->numbers, id, &packet);
	*trace = trace_to_json(explained, id, packet.direction);
	return 0;
}
