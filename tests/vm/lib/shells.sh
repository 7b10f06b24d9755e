# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shells.sh - guests a, b and c that run what they are told, and a network with a router and a host
# far behind a link with a smaller MTU.
#
# Sourced after images.sh, stage.sh and guests.sh.
#
#   a, b, c -- taps -- br0 (10.77.0.1) -- router (10.77.0.254) -- MTU 1300 -- far (10.78.0.2)
#
# far says in its SYNs that it takes full-sized segments, so only the router's ICMP errors tell a
# guest of the smaller MTU.

small_mtu=1300
talker=$top/.build/vm/talker
shells=(a b c)
device=([a]=tap-a [b]=tap-b [c]=tap-c)
mac=([a]=52:54:00:77:00:11 [b]=52:54:00:77:00:12 [c]=52:54:00:77:00:13)
address4=([a]=10.77.0.11 [b]=10.77.0.12 [c]=10.77.0.13 [far]=10.78.0.2)
address6=([a]=fd77::11 [b]=fd77::12 [c]=fd79::5054:ff:fe77:13 [far]=fd78::2)
router4=10.77.0.254
router6=fd77::fe

prepare_shells() {
	[ -x "$talker" ] || die "$talker is missing: make tests"
	prepare_images
	lock_images
	begin_initramfs "$images/shell-root" "$guest_modules" "$top/tests/vm/shell-init"
	mkdir "$images/shell-root/tmp"
	cp "$talker" "$images/shell-root/bin/talker"
	cat >"$images/shell-root/bin/take-lease" <<-'END'
		#!/bin/sh
		[ "$1" != bound ] || ip address add "$ip/24" dev "$interface"
	END
	chmod +x "$images/shell-root/bin/take-lease"
	pack_initramfs "$images/shell-root" "$images/shells.gz"
	unlock_images
}

# NAMESPACE: routes packets of both families.
let_route() {
	nsenter --net="/run/netns/$1" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

set_router() {
	local router=$netns-router far=$netns-far

	add_netns "$router"
	add_netns "$far"
	quiet_ipv6 "$router" default
	quiet_ipv6 "$far" default
	let_route "$router"
	ip -n "$netns" link add to-router type veth peer name lan netns "$router"
	ip -n "$netns" link set to-router master br0 up
	ip -n "$router" address add "$router4/24" dev lan
	ip -n "$router" address add "$router6/64" dev lan nodad
	ip -n "$router" link set lan up
	ip -n "$router" link add wan mtu $small_mtu type veth peer name wan mtu $small_mtu netns "$far"
	ip -n "$router" address add 10.78.0.1/24 dev wan
	ip -n "$router" address add fd78::1/64 dev wan nodad
	ip -n "$router" link set wan up
	ip -n "$far" address add "${address4[far]}/24" dev wan
	ip -n "$far" address add "${address6[far]}/64" dev wan nodad
	ip -n "$far" link set wan up
	ip -n "$far" route add 10.77.0.0/24 via 10.78.0.1 advmss 1460
	ip -n "$far" route add fd77::/64 via fd78::1 advmss 1440
	enter_far=(nsenter --net="/run/netns/$far")
}

# NAME KERNEL-ARGUMENTS
start_shell() {
	local name=$1

	ip -n "$netns" tuntap add dev "${device[$name]}" mode tap vnet_hdr
	ip -n "$netns" link set "${device[$name]}" master br0 up
	open_channel "$name"
	(memory=384 become_vm "$name" "$accel" "$images/shells.gz" "$2" \
		-serial "file:$run/$name.console" \
		-chardev "pipe,id=control,path=$run/$name" -serial chardev:control \
		-netdev "tap,id=net0,ifname=${device[$name]},script=no,downscript=no,vhost=off" \
		-device "virtio-net-pci,netdev=net0,mac=${mac[$name]},romfile=") \
		</dev/null >"$run/$name.qemu" 2>&1 &
	process[$name]=$!
	started $!
}

# NAME SECONDS: reads what the guest's command says into $output, and how it ended into $status.
hear_shell() {
	local name=$1 line deadline=$((SECONDS + $2))

	output=
	while [ $SECONDS -lt $deadline ]; do
		if IFS= read -r -t 1 -u "${from_agent[$name]}" line; then
			line=${line%$'\r'}
			case $line in
			"status "*)
				status=${line#status }
				return
				;;
			esac
			output+=${output:+$'\n'}$line
		elif ! kill -0 "${process[$name]}" 2>/dev/null; then
			break
		fi
	done
	tail -n 5 "$run/$name.console" "$run/$name.qemu" >&2 2>/dev/null || true
	die "guest $name did not answer in $2 s; so far it said: $output"
}

# NAME COMMAND: runs it in the guest's shell.
in_guest() {
	echo "$2" >&"${to_agent[$1]}"
	hear_shell "$1" "${3:-300}"
}

start_shells() {
	local name

	for name in a b; do
		start_shell "$name" "ADDRESS4=${address4[$name]}/24 ADDRESS6=${address6[$name]}/64 \
ROUTER4=$router4 ROUTER6=$router6"
	done
	start_shell c ""
	for name in "${shells[@]}"; do
		hear_shell "$name" 300
	done
}

# Runs a program of the host's side until the end, in a namespace given as its nsenter command.
serve_in() {
	local -n inside=$1
	shift
	"${inside[@]}" setpriv --pdeathsig KILL "$@" </dev/null >>"$run/servers.log" 2>&1 &
	served=$!
	started $served
}

# NAME JQ-PATH: a counter of the interface's stats.
counter() {
	"$top/.build/sgctl" stats --json --interface "$1" | jq ".[0]$2 // 0"
}
