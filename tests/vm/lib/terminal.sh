# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# terminal.sh - what people see: steps with their time, colours where they are wanted.
#
# Sourced. Colours only on a terminal, and not with NO_COLOR set (no-color.org) or TERM=dumb.

red='' green='' dim='' bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	red=$'\e[1;31m' green=$'\e[32m' dim=$'\e[2m' bold=$'\e[1m' plain=$'\e[0m'
fi

now_ms() {
	local seconds=${EPOCHREALTIME%[.,]*} micros=${EPOCHREALTIME#*[.,]}
	echo $((seconds * 1000 + 10#$micros / 1000))
}

# MILLISECONDS -> "12.3 s"
in_seconds() {
	printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100))
}

begun_ms=$(now_ms)
phase_ms=$begun_ms

# One line for a finished step, with the time it took since the last one.
step() {
	local now
	now=$(now_ms)
	printf '%s%7s%s  %s\n' "$dim" "$(in_seconds $((now - phase_ms)))" "$plain" "$*"
	phase_ms=$now
}

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

passed=0
failed=0

# TEXT COMMAND...: one check, as a line; it holds if the command succeeds.
check() {
	local text=$1
	shift
	if "$@" >/dev/null; then
		passed=$((passed + 1))
		printf '%sok%s      %s\n' "$green" "$plain" "$text"
	else
		failed=$((failed + 1))
		printf '%snot ok  %s%s\n' "$red" "$text" "$plain"
	fi
}

# A step that cannot go on: the reason, then the end (and with it the cleanup).
die() {
	printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
	exit 1
}
