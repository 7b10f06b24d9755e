/* SPDX-License-Identifier: GPL-2.0-or-later */
/* patch.c - sgctl patch: objects of the policy that holds are replaced, added or removed. */
#include "ctl/apply.h"
#include "ctl/command.h"

enum exit_status command_patch(const struct args *args)
{
	return apply_send(args, "PATCH");
}
