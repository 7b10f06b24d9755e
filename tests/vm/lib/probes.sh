# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# probes.sh - tries every service of everybody from everybody, at once.
#
# Sourced after guests.sh. What was seen is in ${seen[FAMILY.FROM.TO.SERVICE]}: "allow", "drop", or
# what else the agent said, which is never right. A service is allowed only if the machine that was
# meant answered with its name.

services=(ping 22 80 443 5432 8080 53/udp)
families=(4 6)
probe_timeout_ms=1200

declare -A seen=() outstanding=()

# KEY ANSWER-WORD...: turns an answer into what was seen.
judge() {
	local key=$1 to service
	IFS=. read -r _ _ to service <<<"$key"
	case $2 in
	timeout | silent) seen[$key]=drop ;;
	open)
		if [ "$service" = ping ] || [ "${*:4}" = "$to ${service%/udp}" ]; then
			seen[$key]=allow
		else
			seen[$key]="answer of '${*:4}'"
		fi
		;;
	*) seen[$key]="${*:2}" ;;
	esac
}

# FAMILY TO SERVICE: the arguments of the agent's verb probe, as $probe_words.
probe_words_of() {
	local -n addresses=address$1
	local at=${addresses[$2]}

	case $3 in
	ping) probe_words=(ping "$at" - "$probe_timeout_ms") ;;
	*/udp) probe_words=(udp "$at" "${3%/udp}" "$probe_timeout_ms") ;;
	*) probe_words=(tcp "$at" "$3" "$probe_timeout_ms") ;;
	esac
}

# Calls the command given with FAMILY FROM TO SERVICE for every probe there is.
for_every_probe() {
	local family from to service

	for family in "${families[@]}"; do
		for to in "${everyone[@]}"; do
			for from in "${everyone[@]}"; do
				[ "$from" != "$to" ] || continue
				for service in "${services[@]}"; do
					"$@" "$family" "$from" "$to" "$service"
				done
			done
		done
	done
}

# FAMILY FROM TO SERVICE: does not wait for the answer.
send_probe() {
	probe_words_of "$1" "$3" "$4"
	tell "$2" "$1.$2.$3.$4" probe "${probe_words[@]}"
	outstanding[$2]=$((${outstanding[$2]:-0} + 1))
}

# The answers to all that were sent.
hear_probes() {
	local name

	for name in "${!outstanding[@]}"; do
		for ((; outstanding[$name] > 0; outstanding[$name]--)); do
			hear "$name"
			# shellcheck disable=SC2086 # words
			judge "$reply_id" $reply
		done
	done
}

# KEY...: tries again, with more time, what should have passed and did not: a busy machine may take
# longer than a drop is waited for.
insist() {
	local probe_timeout_ms=$((probe_timeout_ms * 5)) tries key family from to service
	local -a left=("$@") still

	for ((tries = 0; tries < 3 && ${#left[@]} > 0; tries++)); do
		for key in "${left[@]}"; do
			IFS=. read -r family from to service <<<"$key"
			send_probe "$family" "$from" "$to" "$service"
		done
		hear_probes
		still=()
		for key in "${left[@]}"; do
			[ "${seen[$key]}" != drop ] || still+=("$key")
		done
		left=("${still[@]}")
	done
}

# What is expected is in ${expected[KEY]} (matrix.sh); before it is, everything should pass.
probe_everything() {
	local key
	local -a missing=()

	for_every_probe send_probe
	hear_probes
	for key in "${!seen[@]}"; do
		[ "${seen[$key]}" = drop ] || continue
		[ "${expected[$key]:-allow}" != allow ] || missing+=("$key")
	done
	insist "${missing[@]}"
}

# Without a filter everything must pass, or a drop would prove nothing later.
check_unfiltered() {
	local key allowed=0

	for key in "${!seen[@]}"; do
		[ "${seen[$key]}" != allow ] || allowed=$((allowed + 1))
	done
	check "unfiltered, $allowed of ${#seen[@]} probes pass" [ "$allowed" -eq ${#seen[@]} ]
}
