# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared among the parts
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kernels.sh - other kernels to boot: Debian's cloud kernel of a version, with the modules that the
# tests need, and an initramfs of the tests themselves.
#
# Sourced after images.sh. A kernel is kept in .build/vm/kernels/VERSION; only the first run
# downloads it.

kernels=$images/kernels
# With those that they depend on.
test_modules='tun bridge veth sch_ingress cls_bpf nf_tables nft_meta_bridge'
# What the tests call, and tests/run; the rest is busybox. tests/soak is written in Python.
test_programs='bash flock ip tc nft bpftool curl'

# VERSION -> the package of that version's cloud kernel which is newest here: the one that the
# meta-package stands for.
kernel_package() {
	local meta

	# Debian 12's own kernel has a meta-package without a version.
	for meta in "linux-image-$1-cloud-amd64" linux-image-cloud-amd64; do
		apt-cache depends "$meta" 2>/dev/null |
			sed -n "s/.*Depends: \(linux-image-${1//./\\.}\.[0-9].*\)/\1/p" | head -n 1
	done | head -n 1
}

# VERSION DIRECTORY: unpacked, never installed.
download_kernel_of() {
	local package

	package=$(kernel_package "$1")
	[ -n "$package" ] || return 1
	rm -rf "$2"
	mkdir -p "$2"
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$package") \
		>"$images/download.log" 2>&1 || return 1
	dpkg-deb -x "$2"/*.deb "$2" || return 1
	rm -f "$2"/*.deb
}

# VERSION: .build/vm/kernels/VERSION/{vmlinuz,modules/*.ko,modules/order}
prepare_kernel_of() {
	local version=$1 unpacked=$kernels/$1.unpacked kernel=$kernels/$1 release module file

	[ ! -e "$kernel/complete" ] || return 0
	download_kernel_of "$version" "$unpacked" || {
		apt-get -qq update >"$images/download.log" 2>&1
		download_kernel_of "$version" "$unpacked"
	} || die "no kernel $version: apt-get download of Debian's cloud kernel of that version failed:" \
		"$(tail -n 1 "$images/download.log" 2>/dev/null)"
	rm -rf "$kernel"
	mkdir -p "$kernel/modules"
	cp "$unpacked"/boot/vmlinuz-* "$kernel/vmlinuz"
	release=$(basename "$unpacked"/lib/modules/*)
	depmod -b "$unpacked" "$release"
	for module in $test_modules; do
		# "insmod PATH" a line, in order; "builtin NAME" is there already.
		modprobe -d "$unpacked" -S "$release" --show-depends "$module" ||
			die "the cloud kernel $release has no module $module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$kernel/files"
	while read -r file; do
		module=$(basename "${file%.xz}")
		case $file in
		*.xz) xz -dc "$file" >"$kernel/modules/$module" ;;
		*) cp "$file" "$kernel/modules/$module" ;;
		esac
		echo "$module"
	done <"$kernel/files" >"$kernel/modules/order"
	rm -rf "$unpacked" "$kernel/files"
	touch "$kernel/complete"
}

# ROOT: Python with what tests/soak imports of its library.
copy_python() {
	local root=$1 library python folder

	{ read -r python && read -r library; } < <(python3 -c \
		'import sys, sysconfig; print(sys.executable); print(sysconfig.get_path("stdlib"))') ||
		die "python3 is missing"
	mkdir -p "$root$library" "$root/usr"
	ln -s /bin "$root/usr/bin" # env
	cp -a "$library"/*.py "$library/__pycache__" "$root$library/"
	for folder in collections ctypes email encodings http importlib json lib-dynload re urllib; do
		cp -a "$library/$folder" "$root$library/"
	done
	# shellcheck disable=SC2046 # words
	copy_libraries "$root" "$python" $(find "$library/lib-dynload" -name '*.so')
	cp "$python" "$root/bin/python3"
	echo "export PYTHONHOME=${library%/lib/*}" >"$root/etc/python"
}

# VERSION FILE: the tests as they are built, and everything that they read.
prepare_test_initramfs() {
	local root=$kernels/$1.root file

	rm -rf "$root"
	mkdir -p "$root"/{bin,sbin,dev,etc,proc,sys,run,tmp,var/lib,modules,tapguard/.build/tests}
	cp "$(command -v busybox)" "$root/bin/busybox" || die "install busybox-static"
	cp "$kernels/$1/modules"/* "$root/modules/"
	install -m 755 "$top/tests/vm/kernel-init" "$root/init"
	# busybox as a shell would take its own ip for the one that is copied.
	ln -s bash "$root/bin/sh"
	# Whom the tests of the API's rights ask for.
	printf '%s\n' root:x:0:0::/:/bin/sh daemon:x:1:1::/:/bin/sh nobody:x:65534:65534::/:/bin/sh \
		>"$root/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: nogroup:x:65534: >"$root/etc/group"
	# shellcheck disable=SC2086 # words
	copy_with_libraries "$root" $test_programs
	[[ " ${steps[*]} " != *" soak "* ]] || copy_python "$root"
	printf 'export %s\n' "${settings[@]}" >"$root/etc/settings"
	for file in "${steps[@]}"; do
		is_alone "$file" || echo "$file"
	done >"$root/etc/steps"
	for file in "${steps[@]}"; do
		! is_alone "$file" || echo "$file"
	done >"$root/etc/steps-alone"
	for file in rulesd sgctl tests/kill/kill "${steps[@]/#/tests/}"; do
		file=.build/$file
		[ -f "$top/$file" ] || continue # kill is a directory, soak a script
		mkdir -p "$root/tapguard/${file%/*}"
		strip -o "$root/tapguard/$file" "$top/$file"
		copy_libraries "$root" "$top/$file"
	done
	cp -a "$top/.build/bpf" "$root/tapguard/.build/"
	(cd "$top" && cp -a --parents tests/run tests/unit tests/prog tests/e2e tests/soak tests/schema/rulesd.py \
		tests/data tests/golden/policy tests/verifier.budget .debian schemas/examples "$root/tapguard/")
	pack_initramfs "$root" "$2"
}
