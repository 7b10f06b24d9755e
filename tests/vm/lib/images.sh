# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# images.sh - what a guest boots: Debian's cloud kernel, an initramfs of busybox, virtio modules and
# the agent, and whether KVM can boot it.
#
# Sourced, with $top the source tree. Everything is kept in .build/vm, so that only the first run
# downloads.

images=$top/.build/vm
agent=$images/agent

# In the order in which they must be inserted.
guest_modules='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
	failover net_failover virtio_net'
# What a guest needs that is itself a host of guests (tests/vm/oldest-kernel).
host_modules='llc stp bridge veth sch_ingress cls_bpf'

# The package that linux-image-cloud-amd64 stands for today. It is unpacked, never installed.
download_kernel() {
	local package

	rm -rf "$images/download" "$images/unpacked"
	mkdir -p "$images/download"
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || return 1
	(cd "$images/download" && apt-get -qq -o APT::Sandbox::User=root download "$package") \
		>"$images/download.log" 2>&1 || return 1
	dpkg-deb -x "$images"/download/*.deb "$images/unpacked"
}

prepare_kernel() {
	local module file

	[ ! -e "$images/kernel/complete" ] || return 0
	download_kernel || {
		apt-get -qq update >"$images/download.log" 2>&1
		download_kernel
	} || die "no kernel for the guests: apt-get download of Debian's linux-image-cloud-amd64 failed:" \
		"$(tail -n 1 "$images/download.log" 2>/dev/null)"
	rm -rf "$images/kernel"
	mkdir -p "$images/kernel"
	cp "$images"/unpacked/boot/vmlinuz-* "$images/kernel/vmlinuz"
	for module in $guest_modules $host_modules; do
		file=$(find "$images/unpacked" -name "$module.ko" -o -name "$module.ko.xz" | head -n 1)
		case $file in
		*.xz) xz -dc "$file" >"$images/kernel/$module.ko" ;;
		*.ko) cp "$file" "$images/kernel/$module.ko" ;;
		*) die "the cloud kernel has no module $module" ;;
		esac
	done
	rm -rf "$images/unpacked" "$images/download"
	touch "$images/kernel/complete"
}

# DIRECTORY MODULES INIT-SCRIPT: begins an initramfs: busybox, the modules and what /init is.
begin_initramfs() {
	local root=$1 modules=$2 init=$3 module busybox

	busybox=$(command -v busybox) || die "busybox is missing: install busybox-static"
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,proc,sys,run,modules}
	cp "$busybox" "$root/bin/busybox"
	for module in $modules; do
		cp "$images/kernel/$module.ko" "$root/modules/"
	done
	echo "$modules" >"$root/modules/order"
	install -m 755 "$init" "$root/init"
}

# DIRECTORY FILE
pack_initramfs() {
	(cd "$1" && find . | cpio --quiet -o -H newc | gzip -1) >"$2.new"
	mv "$2.new" "$2"
	rm -rf "$1"
}

prepare_initramfs() {
	begin_initramfs "$images/root" "$guest_modules" "$top/tests/vm/guest-init"
	cp "$agent" "$images/root/bin/agent"
	pack_initramfs "$images/root" "$images/initramfs.gz"
}

# NAME ACCEL INITRAMFS KERNEL-ARGUMENTS QEMU-OPTION...: turns this (sub)shell into a guest, in the
# namespace of the bridge where there is one. The guest dies with whoever started it. On a busy host
# an emulated timer does not tick in time for the kernel's check of it, which panics: no_timer_check.
become_vm() {
	local name=$1 accel=$2 initramfs=$3 arguments=$4
	shift 4
	exec "${enter_netns[@]}" setpriv --pdeathsig KILL \
		qemu-system-x86_64 -name "$name" -accel "$accel" -m "${memory:-192}" \
		-nodefaults -no-user-config -no-reboot -display none \
		-kernel "$images/kernel/vmlinuz" -initrd "$initramfs" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check $arguments" "$@"
}

# /dev/kvm may exist where no kernel boots on it (nested or restricted virtualisation): only a boot
# tells. The answer holds for this host kernel and is kept.
choose_accel() {
	local answer log=$images/kvm-probe.console pid waited=0

	answer=$images/accel-$(uname -r)
	if [ ! -e "$answer" ]; then
		echo tcg >"$answer"
		if [ -w /dev/kvm ]; then
			: >"$log"
			(become_vm kvm-probe kvm "$images/initramfs.gz" GUEST=probe -serial "file:$log" \
				-serial "file:$log.agent") </dev/null >/dev/null 2>&1 &
			pid=$!
			while [ $waited -lt 50 ] && kill -0 $pid 2>/dev/null; do
				if grep -q 'ready probe' "$log.agent" 2>/dev/null; then
					echo kvm >"$answer"
					break
				fi
				sleep 0.1
				waited=$((waited + 1))
			done
			kill -KILL $pid 2>/dev/null || true
			wait $pid 2>/dev/null || true
			rm -f "$log.agent"
		fi
	fi
	accel=$(cat "$answer")
}

# Whoever changes $images holds its lock: two runs side by side share it.
lock_images() {
	exec {images_lock}>"$images/lock"
	flock "$images_lock"
}

unlock_images() {
	exec {images_lock}>&-
}

prepare_images() {
	mkdir -p "$images"
	command -v qemu-system-x86_64 >/dev/null ||
		die "qemu-system-x86_64 is missing: install qemu-system-x86"
	lock_images
	prepare_kernel
	prepare_initramfs
	choose_accel
	unlock_images
}

# ROOT FILE...: copies the libraries that the files need.
copy_libraries() {
	local root=$1 file library
	shift
	for file in "$@"; do
		for library in $(ldd "$file" | grep -o '/[^ ]*'); do
			[ ! -e "$root$library" ] || continue
			mkdir -p "$root${library%/*}"
			cp -Ln "$library" "$root$library"
		done
	done
}

# ROOT PROGRAM...: copies programs to bin, with the libraries that they need.
copy_with_libraries() {
	local root=$1 program
	shift
	for program in "$@"; do
		program=$(command -v "$program") || die "a program that the tests need is missing: $program"
		cp "$program" "$root/bin/"
		copy_libraries "$root" "$program"
	done
}
