/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * junit.h - results of sgctl test as JUnit XML, which CI servers show
 * (https://github.com/testmoapp/junitxml).
 */
#pragma once

#include <jansson.h>

/* results: the array of sgctl test --json. */
void junit_print(const json_t *results);
