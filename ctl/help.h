/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * help.h - help from the table of commands.
 */
#pragma once

struct command;

void help_print_overview(void);
void help_print_command(const struct command *command);
