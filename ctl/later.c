/* SPDX-License-Identifier: GPL-2.0-or-later */
/* later.c - commands that have a name and no code yet: they say so. */
#include "ctl/args.h"
#include "ctl/output.h"

enum exit_status command_later(const struct args *args)
{
	return output_failure_text(args, "not-supported", "%s is not supported yet",
				   args->command->name);
}
