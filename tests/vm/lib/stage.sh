# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# stage.sh - where everything happens, and how it is taken down: a network namespace with a bridge, a
# directory under /run with a bpffs of its own, and a rulesd that uses only these.
#
# Sourced, with $top the source tree. The EXIT trap leaves nothing behind: on success, on failure, on
# Ctrl-C.

netns=tapguard-demo-$$
run=/run/$netns
namespaces=()
processes=()
rulesd_pid=

# Not `ip netns exec`: it has a mount namespace of its own, and pins would not outlive it.
enter_netns=(nsenter --net="/run/netns/$netns")

rulesd_paths=(--socket "$run/api.sock" --state-dir "$run/state" --bpffs "$run/bpf/tapguard")
export TAPGUARD_SOCKET=$run/api.sock

# A process that the cleanup ends.
started() {
	processes+=("$1")
}

add_netns() {
	ip netns add "$1"
	namespaces+=("$1")
	ip -n "$1" link set lo up
}

# NAMESPACE INTERFACE: no duplicate address detection, no routers.
quiet_ipv6() {
	nsenter --net="/run/netns/$1" sysctl -qw "net.ipv6.conf.$2.accept_dad=0" \
		"net.ipv6.conf.$2.accept_ra=0" "net.ipv6.conf.$2.dad_transmits=0"
}

# What a run that was killed without a chance to clean up left: its processes died with it, and its
# pins go with its bpffs.
sweep() {
	local left name

	for left in /run/tapguard-demo-*; do
		if [ ! -d "$left" ] || [ -d "/proc/${left##*-}" ]; then
			continue
		fi
		for name in /run/netns/"${left##*/}"*; do
			[ ! -e "$name" ] || ip netns del "${name##*/}"
		done
		umount "$left/bpf" 2>/dev/null || true
		rm -rf "$left"
	done
}

set_stage() {
	[ "$(id -u)" -eq 0 ] || die "needs root: it makes namespaces, taps and BPF maps (try sudo)"
	trap take_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	sweep
	mkdir -m 700 "$run"
	mkdir "$run/bpf"
	mount -t bpf tapguard-demo "$run/bpf"
	add_netns "$netns"
	quiet_ipv6 "$netns" default
	ip -n "$netns" link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
	ip -n "$netns" address add 10.77.0.1/24 dev br0
	ip -n "$netns" address add fd77::1/64 dev br0 nodad
	ip -n "$netns" link set br0 up
}

start_rulesd() {
	local deadline=$((SECONDS + 900)) # an emulated host takes its time to verify the programs

	"${enter_netns[@]}" setpriv --pdeathsig KILL "$top/.build/rulesd" "${rulesd_paths[@]}" \
		--host demo >"$run/rulesd.log" 2>&1 &
	rulesd_pid=$!
	until "$top/.build/sgctl" show status >/dev/null 2>&1; do
		if [ $SECONDS -ge $deadline ] || ! kill -0 "$rulesd_pid" 2>/dev/null; then
			tail -n 5 "$run/rulesd.log" >&2
			die "rulesd did not start"
		fi
		sleep 0.05
	done
}

# The example as it is; later changes start from $run/policy.json.
apply_example() {
	cp "$top/schemas/examples/three-tier.json" "$run/policy.json"
	"$top/.build/sgctl" apply "$run/policy.json" >"$run/apply.log" 2>&1 ||
		die "sgctl apply: $(cat "$run/apply.log")"
}

# Every interface of the example is filtered, and how.
check_filtering() {
	local id state hook error

	while IFS=$'\t' read -r id state hook error; do
		check "$id is $state by ${hook:-nothing}${error:+: $error}" [ "$state" = filtering ]
	done < <("$top/.build/sgctl" show interfaces --json |
		jq -r '.[] | [.id, .state, .hook // "", .error // ""] | @tsv')
}

end_process() {
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || true
}

# Everything, in reverse; each part is tried whatever became of the others. Again does nothing.
take_down_stage() {
	local pid name log

	for pid in "${processes[@]}"; do
		end_process "$pid" KILL
	done
	processes=()
	if [ -n "$rulesd_pid" ]; then
		end_process "$rulesd_pid"
		rulesd_pid=
		log=$("${enter_netns[@]}" "$top/.build/rulesd" "${rulesd_paths[@]}" --flush 2>&1) ||
			printf 'rulesd --flush: %s\n' "$log" >&2
	fi
	for name in "${namespaces[@]}"; do
		ip netns del "$name" || true
	done
	namespaces=()
	if mountpoint -q "$run/bpf"; then
		umount "$run/bpf" || true
	fi
	rm -rf "$run"
}

take_down() {
	local status=$?

	trap '' INT TERM HUP
	trap - EXIT
	set +e
	take_down_stage
	exit "$status"
}

# After take_down_stage.
check_nothing_left() {
	check "no namespace is left" [ -z "$(ip netns list | grep -F "$netns")" ]
	check "no mount is left" [ -z "$(grep -F "$run" /proc/mounts)" ]
	check "no process is left" [ -z "$(processes_of_run)" ]
	check "no directory is left" [ ! -e "$run" ]
}

# Those that name a file of $run.
processes_of_run() {
	local file

	for file in /proc/[0-9]*/cmdline; do
		case $({ tr '\0' ' ' <"$file"; } 2>/dev/null) in
		*"$run/"*) echo "${file//[!0-9]/}" ;;
		esac
	done
}
