# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# matrix.sh - what the three-tier example must let through, and how that compares with what was seen
# and with what sgctl trace says.
#
# Sourced after probes.sh.

# Written by hand from the intent of the example, for both families: + passes, - is dropped.
expected_table='
to      from     ping 22 80 443 5432 8080 53/udp
web     app       -   -  +   +   -    -    -
web     db        -   -  -   -   -    -    -
web     bastion   +   +  +   +   -    -    -
web     outside   -   -  +   +   -    -    -
app     web       -   -  -   -   -    +    -
app     db        -   -  -   -   -    -    -
app     bastion   +   +  -   -   -    -    -
app     outside   -   -  -   -   -    -    -
db      web       -   -  -   -   -    -    -
db      app       -   -  -   -   +    -    -
db      bastion   +   +  -   -   -    -    -
db      outside   -   -  -   -   -    -    -
bastion web       -   -  -   -   -    -    -
bastion app       -   -  -   -   -    -    -
bastion db        -   -  -   -   -    -    -
bastion outside   -   -  -   -   -    -    -
outside web       +   +  +   +   +    +    +
outside app       +   +  +   +   +    +    +
outside db        -   -  -   -   -    -    -
outside bastion   +   +  +   +   +    +    +
'

declare -A expected=() traced=() why=()

load_expected() {
	local to from family index marks

	while read -r to from marks; do
		case $to in '' | to) continue ;; esac
		# shellcheck disable=SC2206 # words
		marks=($marks)
		for index in "${!services[@]}"; do
			for family in "${families[@]}"; do
				case ${marks[index]} in
				+) expected[$family.$from.$to.${services[index]}]=allow ;;
				-) expected[$family.$from.$to.${services[index]}]=drop ;;
				esac
			done
		done
	done <<<"$expected_table"
}

# FAMILY FROM TO SERVICE: asks sgctl about the packet that opens the connection, at the sender's
# interface and at the receiver's; the answers are files named KEY.DIRECTION.
trace_probe() {
	local -n addresses=address$1
	local key=$1.$2.$3.$4 src=${addresses[$2]} dst=${addresses[$3]} protocol words

	[ "$2" = "$tracing_from" ] || return 0
	if [ "$1" = 6 ]; then
		dst="[$dst]"
	fi
	case $4 in
	ping)
		protocol=icmp
		[ "$1" = 4 ] || protocol=icmpv6
		words=(--protocol "$protocol" --icmp-type echo-request --src "$src" --dst "${addresses[$3]}")
		;;
	*/udp) words=(--protocol udp --src "$src" --dst "$dst:${4%/udp}") ;;
	*) words=(--protocol tcp --src "$src" --dst "$dst:$4") ;;
	esac
	if [ "$2" != outside ]; then
		"$top/.build/sgctl" trace --json --interface "${interface[$2]}" --direction egress \
			"${words[@]}" >"$run/trace/${key/\//_}.egress"
	fi
	if [ "$3" != outside ]; then
		"$top/.build/sgctl" trace --json --interface "${interface[$3]}" --direction ingress \
			"${words[@]}" >"$run/trace/${key/\//_}.ingress"
	fi
}

# Fills traced and why: a packet passes if every interface on its way lets it. Allowed, why is the
# rule of the last interface; dropped, the reason, after < when the sender's own groups stop it.
trace_everything() {
	local tracing_from file verdict_ reason rule key pids=() pid

	mkdir -p "$run/trace"
	for tracing_from in "${everyone[@]}"; do
		for_every_probe trace_probe &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || die "sgctl trace failed"
	done
	traced=() why=()
	# egress sorts before ingress, so the receiver's answer follows the sender's.
	while IFS=$'\t' read -r file verdict_ reason rule; do
		key=${file##*/}
		key=${key%.*}
		key=${key/_//}
		[ "${traced[$key]:-allow}" = allow ] || continue
		if [ "$verdict_" = allow ]; then
			traced[$key]=allow
			why[$key]=${rule##*/}
		else
			traced[$key]=drop
			why[$key]=$reason
			case $file in *.egress) why[$key]="<$reason" ;; esac
		fi
	done < <(jq -r '[input_filename, .verdict, .reason, .rule // .reason] | @tsv' "$run"/trace/*)
	rm -rf "$run/trace"
}

declare -A mark=([allow]=+ [drop]=-)

# KEY: whether expected, seen and, if it was asked, traced agree.
agrees() {
	[ "${seen[$1]}" = "${expected[$1]}" ] &&
		[ "${traced[$1]:-${expected[$1]}}" = "${expected[$1]}" ]
}

# One cell, thirteen columns: expected and seen, a mark if they differ, and why.
print_cell() {
	local key=$1 colour=$dim differs=' '

	[ "${seen[$key]}" != allow ] || colour=$green
	agrees "$key" || {
		colour=$red
		differs='!'
	}
	printf '%s%s/%s%s%-8.8s%s ' "$colour" "${mark[${expected[$key]}]}" \
		"${mark[${seen[$key]}]:-?}" "$differs" "${why[$key]/default-egress/default}" "$plain"
}

print_matrix() {
	local family to from service

	for family in "${families[@]}"; do
		printf '\n%s%-8s' "$bold" "IPv$family"
		printf '%-13s' "${services[@]}"
		printf '%s\n' "$plain"
		for to in "${everyone[@]}"; do
			printf 'to %s from\n' "$to"
			for from in "${everyone[@]}"; do
				[ "$from" != "$to" ] || continue
				printf '%8s' "$from "
				for service in "${services[@]}"; do
					print_cell "$family.$from.$to.$service"
				done
				printf '\n'
			done
		done
	done
}

# FAMILY FROM TO SERVICE: appends to $wrong what does not agree.
note_mismatch() {
	local key=$1.$2.$3.$4

	agrees "$key" ||
		wrong+=("IPv$1 $2 -> $3 $4: expected ${expected[$key]}, seen ${seen[$key]}, trace ${traced[$key]:-not asked} ${why[$key]:-}")
}

# Every probe as expected; otherwise one check line for each that is not.
check_matrix() {
	local wrong=() line

	for_every_probe note_mismatch
	check "$((${#expected[@]} - ${#wrong[@]})) of ${#expected[@]} probes as expected, in the kernel and in sgctl trace" \
		[ ${#wrong[@]} -eq 0 ]
	for line in "${wrong[@]}"; do
		check "$line" false
	done
}

# The same in lines: one for each ordered pair and family.
check_matrix_by_pair() {
	local family to from service wrong

	for family in "${families[@]}"; do
		for to in "${everyone[@]}"; do
			for from in "${everyone[@]}"; do
				[ "$from" != "$to" ] || continue
				wrong=()
				for service in "${services[@]}"; do
					note_mismatch "$family" "$from" "$to" "$service"
				done
				check "IPv$family $from -> $to, ${#services[@]} services${wrong[*]:+: ${wrong[*]}}" \
					[ ${#wrong[@]} -eq 0 ]
			done
		done
	done
}

# The kernel's counters: packets with no rule at every interface, at least one for every probe that
# was to be dropped there, and no drop for any other reason. Only right after the first matrix.
check_drop_counters() {
	local name key from to drops
	local -A least=()

	for key in "${!expected[@]}"; do
		[ "${expected[$key]}" = drop ] || continue
		IFS=. read -r _ from to _ <<<"$key"
		case $from in
		db) least[db]=$((${least[db]:-0} + 1)) ;; # the only one that may not send
		*) least[$to]=$((${least[$to]:-0} + 1)) ;;
		esac
	done
	for name in "${guests[@]}"; do
		drops=$("$top/.build/sgctl" stats --json --interface "${interface[$name]}" |
			jq -c '.[0].drops')
		# shellcheck disable=SC2016 # a variable of jq
		check "stats of ${interface[$name]}: ${least[$name]} probes dropped there, counted $drops" \
			jq -e --argjson least "${least[$name]}" \
			'.no_rule >= $least and keys == ["no_rule"]' <<<"$drops"
	done
}
