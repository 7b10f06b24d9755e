# SPDX-License-Identifier: GPL-2.0-or-later
"""The real rulesd in a network namespace of its own, with taps, for the checks of the API's description."""
import ctypes
import fcntl
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
PATIENCE = max(int(os.environ.get("PATIENCE") or 1), 1)  # of tests/run, for machines that are emulated


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rulesd:
    """Enters a new network namespace for good; tests/run sweeps the directories of a process that was killed."""

    def __init__(self, top, taps):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.top = top
        self.taps = {name: self.open_tap(name) for name in taps}
        self.directory = f"/tmp/tapguard-test-{os.getpid()}"
        self.bpffs = f"/sys/fs/bpf/tapguard-test-{os.getpid()}"
        os.mkdir(self.directory, 0o700)
        os.makedirs(self.bpffs, exist_ok=True)
        self.socket = os.path.join(self.directory, "api.sock")
        self.log = os.path.join(self.directory, "log")
        self.process = None

    @staticmethod
    def open_tap(name):
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        return tap

    def options(self):
        return ["--socket", self.socket, "--state-dir", os.path.join(self.directory, "state"), "--bpffs",
                os.path.join(self.bpffs, "pins"), "--host", "test-host"]

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([os.path.join(self.top, ".build", "rulesd"), *self.options()], stderr=log)
        end = time.monotonic() + 120 * PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                return self.request("GET", "/v1/status")
            except OSError:
                time.sleep(0.01)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"rulesd did not come up: {log.read()}")

    def request(self, method, path, body=None, headers=None):
        """Returns (status, headers, body as text)."""
        connection = Connection(self.socket)
        try:
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            connection.request(method, path, text, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10 * PATIENCE)
            subprocess.run([os.path.join(self.top, ".build", "rulesd"), *self.options(), "--flush"], check=False,
                           stderr=subprocess.DEVNULL)
        for tap in self.taps.values():
            os.close(tap)
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.bpffs, ignore_errors=True)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def udp_frame(mac, source, destination, source_port, destination_port):
    """An Ethernet frame with an empty UDP datagram over IPv4; UDP's checksum is left out, as IPv4 allows."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, socket.IPPROTO_UDP, 0, socket.inet_aton(source),
                     socket.inet_aton(destination))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    ethernet = bytes.fromhex("525400770001") + bytes.fromhex(mac.replace(":", "")) + b"\x08\x00"
    return ethernet + ip + struct.pack("!HHHH", source_port, destination_port, 8, 0)
