/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks.h - what a frame costs that a VM sends or is sent, by itself: writing it to its tap, its
 * way through the host, reading it, and entering each of the hooks on the way with a program that
 * does nothing.
 */
#pragma once

#include "tests/bench/bench.h"

/* Adds its series to the benchmark, in the variant "tap". */
void hooks_measure(struct bench *bench);
