#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a capture of what web-1 of schemas/examples/three-tier.json sent and was sent: make-capture.py FILE."""
import socket
import struct
import sys

WEB, ROUTER, ALL = "525400770011", "020000000001", "ffffffffffff"
ADDRESS = "10.77.0.11"


def ethernet(source, destination, kind, payload):
    return bytes.fromhex(destination + source) + struct.pack("!H", kind) + payload


def ip(source, destination, protocol, payload, fragment=0, identification=1):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination)) + payload


def tcp(source, destination, flags, data=b""):
    return struct.pack("!HHIIBBHHH", source, destination, 1, 1, 0x50, flags, 65535, 0, 0) + data


def udp(source, destination):
    return struct.pack("!HHHH", source, destination, 9, 0) + b"x"


def arp(mac, address):
    return struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + bytes.fromhex(mac) + socket.inet_aton(address) + bytes(6) + socket.inet_aton("10.77.0.1")


def to_web(source, protocol, payload, *fragment):
    return ethernet(ROUTER, WEB, 0x800, ip(source, ADDRESS, protocol, payload, *fragment))


def from_web(destination, protocol, payload, source=ADDRESS):
    return ethernet(WEB, ROUTER, 0x800, ip(source, destination, protocol, payload))


def unreachable(port):
    return struct.pack("!BBHI", 3, 3, 0, 0) + ip(ADDRESS, "9.9.9.9", 17, udp(port, 53))


SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10
FRAMES = [
    to_web("192.0.2.1", 6, tcp(4000, 443, SYN)), from_web("192.0.2.1", 6, tcp(443, 4000, SYN_ACK)), to_web("192.0.2.1", 6, tcp(4000, 443, ACK)),
    to_web("192.0.2.1", 6, tcp(4001, 22, SYN)), to_web("192.0.2.1", 6, tcp(4002, 22, SYN)),  # two denied connections, one row
    from_web("9.9.9.9", 17, udp(5000, 53)), to_web("9.9.9.9", 17, udp(53, 5000)),
    to_web("9.9.9.9", 1, unreachable(5000)), to_web("9.9.9.9", 1, unreachable(5001)),  # about a flow, and about none
    from_web("9.9.9.9", 17, udp(5000, 53), source="10.9.9.9"),
    ethernet(WEB, ALL, 0x806, arp(WEB, ADDRESS)), ethernet(WEB, ALL, 0x806, arp(WEB, "10.77.0.99")),
    from_web("198.51.100.1", 6, tcp(443, 5555, ACK, b"opened before")),
    ethernet(ROUTER, "525400770099", 0x800, ip("192.0.2.1", "10.77.0.99", 6, tcp(4000, 443, SYN))),  # somebody else's
    ethernet(ROUTER, WEB, 0x88cc, bytes(40)),
    to_web("192.0.2.7", 17, udp(4000, 443) + bytes(15), 0x2000, 7), to_web("192.0.2.7", 17, bytes(16), 0x0003, 7),
    to_web("192.0.2.1", 6, tcp(4003, 443, SYN))[:30],
]

with open(sys.argv[1], "wb") as stream:
    stream.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for second, frame in enumerate(FRAMES):
        stream.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
