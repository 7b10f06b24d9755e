/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_print.h - the report of an import or export on standard error, beside the document.
 */
#pragma once

#include "ctl/command.h"
#include "ctl/import_report.h"

struct args;

/*
 * A table, nothing when there is nothing; with --json {"report":[...],"left_out":N}. Returns
 * EXIT_FAILED when --strict is given and anything was reported, else EXIT_DONE.
 */
enum exit_status import_print(const struct args *args, const struct import_report *report);
