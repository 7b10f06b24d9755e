/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers.h - the registry of persistent numbers: zones, peers, rules, exempt endpoints, slots,
 * sets, policies.
 *
 * What has a name keeps its number for ever, also across restarts, and a number is never given to
 * anything else: flows in the kernel's table name their rule and peer by number. Slots are the
 * exception: a slot returns to the pool when its interface is detached and its flows are gone. The
 * registry is a file of the state directory.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum number_kind {
	NUMBER_ZONE, /* "NETWORK" */
	NUMBER_PEER, /* "NETWORK:sg-web", "NETWORK:pl-x", "NETWORK:10.0.0.0/8"; SG_PEER_ANY is built
			in */
	NUMBER_RULE, /* "NETWORK:ingress:sg-web/https" */
	NUMBER_EXEMPT, /* "NETWORK:ADDRESS/PROTOCOL/PORTS"; numbers have SG_RULE_EXEMPT set */
	NUMBER_SLOT,   /* interface id */
	NUMBER_KINDS,
};

struct numbers;

struct numbers *numbers_new(void);
void numbers_free(struct numbers **numbers);

/* The number of name, given now if it has none; 0 when the kind is exhausted (slots: SG_MAX_SLOTS).
 */
uint32_t numbers_get(struct numbers *numbers, enum number_kind kind, const char *name);
/* 0 when it has none. */
uint32_t numbers_find(const struct numbers *numbers, enum number_kind kind, const char *name);
/* NULL when nothing has it. */
const char *numbers_name(const struct numbers *numbers, enum number_kind kind, uint32_t number);
/* Slots only: gives it back to the pool. */
void numbers_release_slot(struct numbers *numbers, const char *interface_id);

/* Slots only: how many nobody has. */
uint32_t numbers_slots_left(const struct numbers *numbers);
/* Slots only: the interface has this one from now on, and nobody else; what it had is free. */
void numbers_set_slot(struct numbers *numbers, const char *interface_id, uint32_t slot);

/*
 * Numbers of immutable objects, never reused: the caller remembers which content has which.
 * Policies count from 1, sets from 1 and stay below SG_SET_SINGLE.
 */
uint32_t numbers_next_policy(struct numbers *numbers);
uint32_t numbers_next_set(struct numbers *numbers);

/* All of it: a snapshot. */
json_t *numbers_to_json(const struct numbers *numbers);
int numbers_from_json(struct numbers **numbers, const json_t *json); /* 0 or -EINVAL */

/*
 * What has got a name since it was written last, for a journal beside the snapshot, NULL when
 * nothing has: {"peers": {"default:sg-x": 17}, "slots": {"vm-1": 3, "vm-2": null}}; null is a slot
 * that was released. A change that fails may leave names that nothing uses; they do no harm.
 */
json_t *numbers_news(const struct numbers *numbers);
void numbers_news_written(struct numbers *numbers); /* also after a snapshot */
/* Reads one back; what a snapshot knows already is no error. 0, or -EINVAL: then throw it away. */
int numbers_add_news(struct numbers *numbers, const json_t *news);

/*
 * How far counters may go before the disk says so: {"peers", "policies", ...}: numbers. A number
 * may reach the kernel before the name that has it reaches the disk; so before the kernel sees
 * anything while numbers_need_marks(), numbers_marks() is to be written, some numbers ahead, and
 * then numbers_marks_written(). At start, after snapshot and news, numbers_skip() keeps what may
 * have been given before a crash from being given again. 0 or -EINVAL.
 */
bool numbers_need_marks(struct numbers *numbers);
json_t *numbers_marks(struct numbers *numbers, uint32_t ahead);
void numbers_marks_written(struct numbers *numbers, const json_t *marks);
int numbers_skip(struct numbers *numbers, const json_t *marks);
