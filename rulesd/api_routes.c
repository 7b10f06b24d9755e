/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_routes.c - the routing table of the API.
 */
#include "rulesd/api_request.h"

#define FLOW_FILTERS "interface protocol src dst sport dport state rule direction group "

const struct api_route api_routes[] = {
	{"GET", "/v1/status", API_READ, 0, "", false, api_get_status},
	{"GET", "/v1/policy", API_READ, 0, "", false, api_get_policy},
	{"PUT", "/v1/policy", API_WRITE, API_BODY_POLICY, "dry_run existing confirm ", true,
	 api_put_policy},
	{"PATCH", "/v1/policy", API_WRITE, API_BODY_POLICY, "dry_run existing confirm ", true,
	 api_patch_policy},
	{"GET", "/v1/generations", API_READ, 0, "", false, api_get_generations},
	{"POST", "/v1/confirm", API_WRITE, API_BODY_OBJECT, "", true, api_post_confirm},
	{"POST", "/v1/rollback", API_WRITE, API_BODY_OBJECT, "", true, api_post_rollback},
	{"GET", "/v1/interfaces", API_READ, 0, "", false, api_get_interfaces},
	{"GET", "/v1/interfaces/{id}", API_READ, 0, "wait ", false, api_get_interface},
	{"PUT", "/v1/interfaces/{id}", API_WRITE, API_BODY_OBJECT,
	 "wait allow_waiting adopt_flows ", true, api_put_interface},
	{"DELETE", "/v1/interfaces/{id}", API_WRITE, API_BODY_OBJECT, "", true,
	 api_delete_interface},
	{"GET", "/v1/groups", API_READ, 0, "", false, api_get_groups},
	{"GET", "/v1/members", API_READ, 0, "group network ", false, api_get_members},
	{"GET", "/v1/prefix-lists", API_READ, 0, "", false, api_get_prefix_lists},
	{"GET", "/v1/rules", API_READ, 0, "", false, api_get_rules},
	{"GET", "/v1/services", API_READ, 0, "", false, api_get_services},
	{"GET", "/v1/stats", API_READ, 0, "interface ", false, api_get_stats},
	{"GET", "/v1/flows", API_READ, 0, FLOW_FILTERS, false, api_get_flows},
	{"DELETE", "/v1/flows", API_WRITE, API_BODY_OBJECT, FLOW_FILTERS, false, api_delete_flows},
	{"POST", "/v1/flows", API_WRITE, API_BODY_POLICY, "", false, api_post_flows},
	{"GET", "/v1/verify", API_READ, 0, "", false, api_get_verify},
	{"POST", "/v1/verify", API_WRITE, API_BODY_OBJECT, "", false, api_post_verify},
	{"GET", "/v1/events", API_READ, 0, "drops interface ", false, api_get_events},
	{"POST", "/v1/trace", API_READ, API_BODY_OBJECT, "", false, api_post_trace},
	{"GET", "/metrics", API_READ, 0, "", false, api_get_metrics},
	{NULL, NULL, API_NONE, 0, NULL, false, NULL},
};
