/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what the programs of libFuzzer share: the entry, and how they say what is wrong.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer keeps the input of whoever aborts. printf-like. */
#define FUZZ_EXPECT(condition, ...)                                                     \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fprintf(stderr, __VA_ARGS__);                                   \
			fprintf(stderr, "\n");                                          \
			abort();                                                        \
		}                                                                       \
	} while (0)
