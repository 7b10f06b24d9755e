/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * complete.h - what a shell may offer at the cursor: the scripts of sgctl completion ask
 * "sgctl __complete WORD...", whose last word is the one being typed.
 */
#pragma once

#define COMPLETE_WORD "__complete"

/*
 * Prints one candidate a line, "WORD" or "WORD<TAB>what it is", and a line ":files" where file
 * names may stand. Ids are those of the files after --policy, else of the daemon; silent when
 * neither answers within two seconds.
 */
void complete_print(int count, char *const *words);
