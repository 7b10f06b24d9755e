/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h - waits until rulesd's links are in the place of the tc filters that a bulk attach begins
 * with. Until then a frame meets both, and a change may wait for the rtnl lock.
 */
#pragma once

/* Looks at every step-th device of the namespace; gives up, and says so, after seconds. */
void links_wait(unsigned int step, unsigned int seconds);
