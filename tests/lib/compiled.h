/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compiled.h - a model, its image and the registry behind them, as a cmocka fixture.
 */
#pragma once

#include "rulesd/compile.h"
#include "rulesd/diag.h"
#include "rulesd/image.h"
#include "rulesd/model.h"
#include "rulesd/numbers.h"

#define COMPILED_HOST "here"

struct compiled {
	struct model *model;
	struct numbers *numbers;
	struct image *image; /* NULL before the first compile */
	struct diag *diag;
};

int compiled_setup(void **state);
int compiled_teardown(void **state);
/* Each image is made from the one before, as in the daemon. Fails the test when the compiler does.
 */
void compiled_again(struct compiled *compiled);
/* "22-22 sg-web/ssh, 80-81 exempt": what the policy of an interface has for (direction, peer,
 * protocol). */
char *compiled_intervals(const struct compiled *compiled, const char *iface, enum sg_dir dir,
			 const char *peer, uint16_t proto);
/* "default:sg-a default:sg-b": the peers of an address's member set, or of the longest prefix
 * around it. */
char *compiled_member(const struct compiled *compiled, const char *network, const char *address);
char *compiled_prefix(const struct compiled *compiled, const char *network, const char *address);
/* How many an image has, in all zones. */
unsigned int compiled_members(const struct image *image);
unsigned int compiled_prefixes(const struct image *image);
/* Everything that a dataplane would load, numbers included, in sorted lines. */
char *compiled_dump(const struct image *image);

#define COMPILED_TEST(name) cmocka_unit_test_setup_teardown(name, compiled_setup, compiled_teardown)
