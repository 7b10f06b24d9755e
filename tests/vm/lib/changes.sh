# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# changes.sh - changes the policy under live connections: what a change allows begins at once, what
# it takes away ends at the next packet, and everything else goes on.
#
# Sourced after matrix.sh. Every check is one line (terminal.sh).

# The connections that live through all this: key, from, to, port.
live_connections=(
	"app-db app db 5432"
	"web-app web app 8080"
	"bastion-web bastion web 22"
	"outside-web outside web 80"
)
declare -A echoed=()

open_live_connections() {
	local key from to port

	for connection in "${live_connections[@]}"; do
		read -r key from to port <<<"$connection"
		ask "$from" hold "$key" "${address4[$to]}" "$port" 5000
		[ "$reply" = ok ] || die "connection $key: $reply"
		echoed[$key]=0
	done
}

# Reads how many bytes came back on every connection, into echoed.
read_live_connections() {
	local key from word

	for connection in "${live_connections[@]}"; do
		read -r key from word <<<"$connection"
		ask "$from" held "$key"
		read -r word word word echoed["$key"] word <<<"$reply"
	done
}

# KEY...: checks that exactly these connections are dead and that all others go on. The others are
# the clock: when each has had three more bytes echoed, a dead one must have had none.
check_live_connections() {
	local cut=" $* " key from rest slowest tries
	local -A before=()

	sleep 0.2 # what had passed the filter before the change may still be on its way inside a guest
	read_live_connections
	for key in "${!echoed[@]}"; do
		before[$key]=${echoed[$key]}
	done
	for ((tries = 0; tries < 100; tries++)); do
		slowest=3
		read_live_connections
		for key in "${!echoed[@]}"; do
			case $cut in *" $key "*) continue ;; esac
			if [ $((echoed[$key] - before[$key])) -lt $slowest ]; then
				slowest=$((echoed[$key] - before[$key]))
			fi
		done
		[ $slowest -lt 3 ] || break
		sleep 0.1
	done
	for connection in "${live_connections[@]}"; do
		read -r key from rest <<<"$connection"
		case $cut in
		*" $key "*)
			check "connection $key is cut: ${echoed[$key]} bytes came back, none since" \
				[ "${echoed[$key]}" -eq "${before[$key]}" ]
			;;
		*)
			check "connection $key goes on: ${echoed[$key]} bytes came back" \
				[ $((echoed[$key] - before[$key])) -ge 3 ]
			;;
		esac
	done
}

# Standard input: lines of WANTED FAMILY FROM TO SERVICE, all tried at once.
check_probes() {
	local lines line wanted family from to service
	local -a missing=()

	mapfile -t lines
	for line in "${lines[@]}"; do
		read -r wanted family from to service <<<"$line"
		send_probe "$family" "$from" "$to" "$service"
	done
	hear_probes
	for line in "${lines[@]}"; do
		read -r wanted family from to service <<<"$line"
		line=$family.$from.$to.$service
		[ "$wanted" != allow ] || [ "${seen[$line]}" != drop ] || missing+=("$line")
	done
	insist "${missing[@]}"
	for line in "${lines[@]}"; do
		read -r wanted family from to service <<<"$line"
		line=${seen[$family.$from.$to.$service]}
		check "IPv$family $from -> $to $service: expected $wanted, seen $line" \
			[ "$line" = "$wanted" ]
	done
}

# NAME: the interface has dropped packets of a connection that lost its rule.
check_revoked() {
	local count

	count=$("$top/.build/sgctl" stats --json --interface "${interface[$1]}" |
		jq '.[0].drops.revoked // 0')
	check "stats of ${interface[$1]}: $count packets dropped as revoked" [ "$count" -gt 0 ]
}

# JQ-FILTER: applies the present policy as the filter changes it.
change_policy() {
	jq "$1" "$run/policy.json" >"$run/changed.json"
	mv "$run/changed.json" "$run/policy.json"
	"$top/.build/sgctl" apply "$run/policy.json" >"$run/apply.log" 2>&1 ||
		die "sgctl apply: $(cat "$run/apply.log")"
}

add_a_rule() {
	title "A rule is added: sg-db lets sg-web in at 5432"
	check_probes <<-EOF
		drop 4 web db 5432
		drop 6 web db 5432
	EOF
	change_policy '.groups["sg-db"].ingress +=
		[{"id": "reports", "protocol": "tcp", "ports": [5432], "from": ["sg-web"]}]'
	check_probes <<-EOF
		allow 4 web db 5432
		allow 6 web db 5432
		drop 4 bastion db 5432
	EOF
	check_live_connections
}

move_a_vm() {
	title "A VM moves: the bastion leaves sg-bastion for sg-app"
	change_policy '.interfaces["bastion-1"].groups = ["sg-app"]'
	check_probes <<-EOF
		allow 4 bastion db 5432
		allow 6 bastion db 5432
		allow 4 web bastion 8080
		drop 4 bastion web 22
		drop 6 bastion web ping
	EOF
	check_live_connections bastion-web
	check_revoked web
}

remove_a_rule() {
	title "A rule is removed: sg-app lets sg-web in at 8080 no more"
	change_policy '.groups["sg-app"].ingress |= map(select(.ports != [8080]))'
	check_probes <<-EOF
		drop 4 web app 8080
		allow 4 app db 5432
	EOF
	check_live_connections bastion-web web-app
	check_revoked app
}

refuse_a_broken_policy() {
	local status=0

	title "A broken policy changes nothing"
	jq '.groups["sg-db"].ingress[0].ports = [70000] | .groups["sg-app"].ingress[0].prots = 1 |
		.interfaces["web-1"].addresses = ["10.77.0"]' "$run/policy.json" >"$run/broken.json"
	"$top/.build/sgctl" apply "$run/broken.json" >"$run/apply.log" 2>&1 || status=$?
	check "sgctl apply exits 1 and names every mistake with its place" \
		[ "$status $(grep -c "broken.json:[0-9]*:[0-9]*: /" "$run/apply.log")" = "1 3" ]
	check_probes <<-EOF
		allow 4 app db 5432
		drop 4 web app 8080
	EOF
	check_live_connections bastion-web web-app
}

kill_rulesd() {
	title "rulesd is killed, and comes back"
	kill -KILL "$rulesd_pid"
	wait "$rulesd_pid" 2>/dev/null || true
	check_probes <<-EOF
		allow 4 app db 5432
		drop 4 web app 8080
	EOF
	check_live_connections bastion-web web-app
	start_rulesd
	check_probes <<-EOF
		allow 6 app db 5432
		drop 6 web app 8080
	EOF
	check_live_connections bastion-web web-app
}

change_everything() {
	open_live_connections
	add_a_rule
	move_a_vm
	remove_a_rule
	refuse_a_broken_policy
	kill_rulesd
}
