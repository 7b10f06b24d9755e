/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units.h - numbers as people read them: bytes with a unit, ages as 3m12s.
 */
#pragma once

#include <stdint.h>

/* "512B", "1.2K", "34M": powers of 1024 as lsblk and ls -h write them. The caller frees. */
char *units_bytes(uint64_t bytes);
/* The two highest units that are not zero: "12s", "3m12s", "2h5m", "5d". The caller frees. */
char *units_age(double seconds);
/* "1 group", "4 groups". The caller frees. */
char *units_count(uint64_t count, const char *noun);
