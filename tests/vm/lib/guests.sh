# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# guests.sh - the four guests of the three-tier example and the host outside: starting them, and
# talking to the agent in each.
#
# Sourced after images.sh and stage.sh. A guest is a virtual machine on a tap (kind qemu) or a
# namespace behind a veth whose host side is the filtered device (kind netns); the agent in it is the
# same program, and its control channel a pair of FIFOs. "outside" is a host that no group knows:
# the agent in the namespace of the bridge, at the bridge's own address.

guests=(web app db bastion)
everyone=("${guests[@]}" outside)

declare -A device=([web]=tap-web [app]=tap-app [db]=tap-db [bastion]=tap-bastion)
declare -A mac=([web]=52:54:00:77:00:11 [app]=52:54:00:77:00:12 [db]=52:54:00:77:00:13
	[bastion]=52:54:00:77:00:14)
declare -A address4=([web]=10.77.0.11 [app]=10.77.0.12 [db]=10.77.0.13 [bastion]=10.77.0.14
	[outside]=10.77.0.1)
declare -A address6=([web]=fd77::11 [app]=fd77::12 [db]=fd77::13 [bastion]=fd77::14
	[outside]=fd77::1)

# As the example names them.
declare -A interface=([web]=web-1 [app]=app-1 [db]=db-1 [bastion]=bastion-1)

declare -A to_agent=() from_agent=() process=()

# NAME: makes the FIFOs and opens both for reading and writing, so that nobody waits for the other.
open_channel() {
	local name=$1 fd

	mkfifo "$run/$name.in" "$run/$name.out"
	exec {fd}<>"$run/$name.in"
	to_agent[$name]=$fd
	exec {fd}<>"$run/$name.out"
	from_agent[$name]=$fd
}

# NAME NAMESPACE
start_agent() {
	open_channel "$1"
	nsenter --net="/run/netns/$2" setpriv --pdeathsig KILL "$agent" "$1" \
		<"$run/$1.in" >"$run/$1.out" 2>"$run/$1.console" &
	process[$1]=$!
	started $!
}

start_vm() {
	local name=$1

	ip -n "$netns" tuntap add dev "${device[$name]}" mode tap vnet_hdr
	ip -n "$netns" link set "${device[$name]}" master br0 up
	open_channel "$name"
	(become_vm "$name" "$accel" "$images/initramfs.gz" \
		"GUEST=$name ADDRESS4=${address4[$name]}/24 ADDRESS6=${address6[$name]}/64" \
		-serial "file:$run/$name.console" \
		-chardev "pipe,id=control,path=$run/$name" -serial chardev:control \
		-netdev "tap,id=net0,ifname=${device[$name]},script=no,downscript=no,vhost=off" \
		-device "virtio-net-pci,netdev=net0,mac=${mac[$name]},romfile=") \
		</dev/null >"$run/$name.qemu" 2>&1 &
	process[$name]=$!
	started $!
}

start_namespace() {
	local name=$1 inside=$netns-$1

	add_netns "$inside"
	quiet_ipv6 "$inside" default
	ip -n "$netns" link add "${device[$name]}" type veth \
		peer name eth0 netns "$inside" address "${mac[$name]}"
	ip -n "$netns" link set "${device[$name]}" master br0 up
	ip -n "$inside" address add "${address4[$name]}/24" dev eth0
	ip -n "$inside" address add "${address6[$name]}/64" dev eth0 nodad
	ip -n "$inside" link set eth0 up
	start_agent "$name" "$inside"
}

# Waits for the line "agent ready NAME".
wait_ready() {
	local name=$1 line deadline=$((SECONDS + ${2:-300}))

	while [ $SECONDS -lt $deadline ]; do
		if read -r -t 1 -u "${from_agent[$name]}" line; then
			[ "$line" != "agent ready $name" ] || return 0
		elif ! kill -0 "${process[$name]}" 2>/dev/null; then
			break
		fi
	done
	tail -n 5 "$run/$name.console" "$run/$name.qemu" >&2 2>/dev/null || true
	die "guest $name did not start"
}

# KIND: what the guests need before the stage is set; $kind_text says what they are.
prepare_guests() {
	[ -x "$agent" ] || die "$agent is missing: make tests"
	case $1 in
	qemu)
		prepare_images
		kind_text="virtual machines, qemu with $accel"
		;;
	netns) kind_text="network namespaces" ;;
	*) die "GUESTS is qemu or netns, not '$1'" ;;
	esac
}

# KIND (qemu or netns): all guests and the outside host, with every service running.
start_guests() {
	local name

	for name in "${guests[@]}"; do
		case $1 in
		qemu) start_vm "$name" ;;
		netns) start_namespace "$name" ;;
		esac
	done
	start_agent outside "$netns"
	for name in "${everyone[@]}"; do
		wait_ready "$name"
		ask "$name" serve tcp 22 80 443 5432 8080
		[ "$reply" = ok ] || die "guest $name: $reply"
		ask "$name" serve udp 53
		[ "$reply" = ok ] || die "guest $name: $reply"
	done
}

# NAME ID COMMAND...: sends a command and does not wait.
tell() {
	local name=$1
	shift
	echo "$*" >&"${to_agent[$name]}"
}

# NAME: the next answer, as $reply_id and $reply.
hear() {
	read -r -t 20 -u "${from_agent[$1]}" reply_id reply || die "guest $1 does not answer"
}

# NAME COMMAND...: its answer, as $reply. Nothing else may be outstanding at that guest.
ask() {
	local name=$1
	shift
	tell "$name" "ask" "$@"
	hear "$name"
	[ "$reply_id" = ask ] || die "guest $name answered '$reply_id $reply' to '$*'"
}
