/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_ports.c - the table of sensitive ports. See lint_ports.h.
 *
 * Those of Prowler's ec2_securitygroup_allow_ingress_from_internet_to_* and AWS Config's
 * vpc-sg-restricted-common-ports, and the usual ports of interfaces without a password or with a
 * history of worms.
 */
#include "ctl/lint_ports.h"

#include <netinet/in.h>

#define TCP(first, last, code, name)                 \
	{                                            \
		IPPROTO_TCP, first, last, code, name \
	}
#define UDP(first, last, code, name)                 \
	{                                            \
		IPPROTO_UDP, first, last, code, name \
	}

const struct lint_port lint_ports[] = {
	TCP(22, 22, LINT_WORLD_SSH, "ssh"),
	TCP(3389, 3389, LINT_WORLD_RDP, "rdp"),
	UDP(3389, 3389, LINT_WORLD_RDP, "rdp"),

	TCP(23, 23, LINT_WORLD_ADMIN, "telnet"),
	TCP(111, 111, LINT_WORLD_ADMIN, "rpcbind"),
	UDP(111, 111, LINT_WORLD_ADMIN, "rpcbind"),
	TCP(135, 135, LINT_WORLD_ADMIN, "msrpc"),
	UDP(137, 138, LINT_WORLD_ADMIN, "netbios"),
	TCP(139, 139, LINT_WORLD_ADMIN, "netbios"),
	UDP(161, 162, LINT_WORLD_ADMIN, "snmp"),
	TCP(389, 389, LINT_WORLD_ADMIN, "ldap"),
	UDP(389, 389, LINT_WORLD_ADMIN, "ldap"),
	TCP(445, 445, LINT_WORLD_ADMIN, "smb"),
	TCP(512, 514, LINT_WORLD_ADMIN, "rexec, rlogin, rsh"),
	UDP(623, 623, LINT_WORLD_ADMIN, "ipmi"),
	TCP(636, 636, LINT_WORLD_ADMIN, "ldaps"),
	TCP(873, 873, LINT_WORLD_ADMIN, "rsync"),
	TCP(2049, 2049, LINT_WORLD_ADMIN, "nfs"),
	UDP(2049, 2049, LINT_WORLD_ADMIN, "nfs"),
	TCP(2375, 2376, LINT_WORLD_ADMIN, "docker"),
	TCP(2379, 2380, LINT_WORLD_ADMIN, "etcd"),
	TCP(3260, 3260, LINT_WORLD_ADMIN, "iscsi"),
	TCP(5900, 5999, LINT_WORLD_ADMIN, "vnc"),
	TCP(5985, 5986, LINT_WORLD_ADMIN, "winrm"),
	TCP(6000, 6063, LINT_WORLD_ADMIN, "x11"),
	TCP(8500, 8500, LINT_WORLD_ADMIN, "consul"),
	TCP(10250, 10250, LINT_WORLD_ADMIN, "kubelet"),
	TCP(10255, 10255, LINT_WORLD_ADMIN, "kubelet"),
	TCP(16509, 16509, LINT_WORLD_ADMIN, "libvirt"),
	TCP(16514, 16514, LINT_WORLD_ADMIN, "libvirt"),

	TCP(1433, 1434, LINT_WORLD_DATABASE, "sql server"),
	UDP(1434, 1434, LINT_WORLD_DATABASE, "sql server"),
	TCP(1521, 1521, LINT_WORLD_DATABASE, "oracle"),
	TCP(2181, 2181, LINT_WORLD_DATABASE, "zookeeper"),
	TCP(2483, 2484, LINT_WORLD_DATABASE, "oracle"),
	TCP(3306, 3306, LINT_WORLD_DATABASE, "mysql"),
	TCP(5432, 5432, LINT_WORLD_DATABASE, "postgresql"),
	TCP(5439, 5439, LINT_WORLD_DATABASE, "redshift"),
	TCP(5601, 5601, LINT_WORLD_DATABASE, "kibana"),
	TCP(5672, 5672, LINT_WORLD_DATABASE, "amqp"),
	TCP(5984, 5984, LINT_WORLD_DATABASE, "couchdb"),
	TCP(6379, 6379, LINT_WORLD_DATABASE, "redis"),
	TCP(7000, 7001, LINT_WORLD_DATABASE, "cassandra"),
	TCP(7199, 7199, LINT_WORLD_DATABASE, "cassandra"),
	TCP(7474, 7474, LINT_WORLD_DATABASE, "neo4j"),
	TCP(7687, 7687, LINT_WORLD_DATABASE, "neo4j"),
	TCP(8086, 8086, LINT_WORLD_DATABASE, "influxdb"),
	TCP(8888, 8888, LINT_WORLD_DATABASE, "cassandra opscenter"),
	TCP(9042, 9042, LINT_WORLD_DATABASE, "cassandra"),
	TCP(9092, 9092, LINT_WORLD_DATABASE, "kafka"),
	TCP(9160, 9160, LINT_WORLD_DATABASE, "cassandra"),
	TCP(9200, 9200, LINT_WORLD_DATABASE, "elasticsearch"),
	TCP(9300, 9300, LINT_WORLD_DATABASE, "elasticsearch"),
	TCP(11211, 11211, LINT_WORLD_DATABASE, "memcached"),
	UDP(11211, 11211, LINT_WORLD_DATABASE, "memcached"),
	TCP(26257, 26257, LINT_WORLD_DATABASE, "cockroachdb"),
	TCP(27017, 27019, LINT_WORLD_DATABASE, "mongodb"),

	UDP(19, 19, LINT_WORLD_RISKY, "chargen"),
	TCP(20, 21, LINT_WORLD_RISKY, "ftp"),
	TCP(25, 25, LINT_WORLD_RISKY, "smtp"),
	UDP(69, 69, LINT_WORLD_RISKY, "tftp"),
	TCP(110, 110, LINT_WORLD_RISKY, "pop3"),
	TCP(143, 143, LINT_WORLD_RISKY, "imap"),
	UDP(1900, 1900, LINT_WORLD_RISKY, "ssdp"),
	TCP(3000, 3000, LINT_WORLD_RISKY, "development server"),
	TCP(4333, 4333, LINT_WORLD_RISKY, "msql"),
	TCP(5000, 5000, LINT_WORLD_RISKY, "development server"),
	TCP(5500, 5500, LINT_WORLD_RISKY, "vnc listener"),
	TCP(8080, 8080, LINT_WORLD_RISKY, "http proxy"),
	TCP(8088, 8088, LINT_WORLD_RISKY, "http"),

	TCP(80, 80, LINT_WORLD_HTTP, "http"),
};
const unsigned int lint_ports_count = sizeof(lint_ports) / sizeof(lint_ports[0]);
