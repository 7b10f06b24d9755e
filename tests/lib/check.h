/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - cmocka with the headers that it wants before it.
 *
 * The libraries of tests/lib fail the running test (fail_msg) when they cannot do what they are
 * asked: a test has nothing useful to do then. What must be undone is remembered by the library
 * that made it, because a failing test leaves by longjmp and runs no cleanup attributes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
