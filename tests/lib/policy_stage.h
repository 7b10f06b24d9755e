/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_stage.h - a rulesd with a policy directory, a VM that its policy guards, and a neighbour:
 * tcp/443 or tcp/80 of the VM are open, as the directory says.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "tests/lib/scene.h"

#define POLICY_STAGE_QUIET_MS 400 /* much longer than rulesd waits for a writer's next file */

/* A policy that opens this port. */
#define POLICY_STAGE(port)                                                                   \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ {"                     \
	"  \"protocol\": \"tcp\", \"ports\": [" port "], \"from\": [\"any\"] } ] } },"       \
	" \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"]," \
	"  \"groups\": [\"sg-web\"] } } }"

struct policy_stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	char *dir; /* the directory; not freed */
};

/* prepare (or NULL) makes the directory, which is empty, what it shall be at start; without it, it
 * holds a.json, which opens 443. */
struct policy_stage policy_stage_open(void (*prepare)(const char *dir));
/* Below the directory; mode 0644. */
void policy_stage_write(const struct policy_stage *stage, const char *name, const char *text);
void policy_stage_remove(const struct policy_stage *stage, const char *name);
json_int_t policy_stage_generation(const struct policy_stage *stage);
/* Until policy_error says this; NULL: until there is none. Fails the test when it never does. */
void policy_stage_wait_error(const struct policy_stage *stage, const char *words);
void policy_stage_wait_after(const struct policy_stage *stage, json_int_t generation);
/* What is open, by frames. */
void policy_stage_assert(const struct policy_stage *stage, bool https, bool http);
/* Until it is so; that policy_error then says nothing, and that nothing else was open
 * meanwhile but one of both. */
void policy_stage_wait_open(const struct policy_stage *stage, bool https, bool http);
