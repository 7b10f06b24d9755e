# Groups, address groups and ports of OpenStack together; rules of one family; what has no counterpart.

$ cd "$data/../../data/import"
$ sgctl import neutron neutron.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-22222222-2222-2222-2222-222222222222": {
        "description": "both families",
        "entries": ["192.0.2.53/32", "2001:db8::53/128"],
        "x-neutron": {
          "name": "resolvers",
          "project_id": "p"
        }
      },
      "pl-22222222-2222-2222-2222-222222222222.4": {
        "description": "both families",
        "entries": ["192.0.2.53/32"],
        "x-neutron": {
          "name": "resolvers"
        }
      }
    },
    "groups": {
      "sg-11111111-1111-1111-1111-111111111111": {
        "description": "web servers",
        "ingress": [
          {
            "id": "a0000000-0000-0000-0000-000000000003",
            "description": "the world",
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          },
          {
            "id": "a0000000-0000-0000-0000-000000000004",
            "protocol": "icmp",
            "icmp": {
              "type": "echo-request"
            },
            "from": ["0.0.0.0/0"]
          },
          {
            "id": "a0000000-0000-0000-0000-000000000005",
            "protocol": "icmpv6",
            "icmp": {
              "type": "echo-request",
              "code": 0
            },
            "from": ["::/0"]
          },
          {
            "id": "a0000000-0000-0000-0000-000000000006",
            "protocol": "udp",
            "ports": [53],
            "from": ["pl-22222222-2222-2222-2222-222222222222.4"]
          },
          {
            "id": "a0000000-0000-0000-0000-000000000007",
            "protocol": "tcp",
            "ports": ["8080-8090"],
            "from": ["sg-33333333-3333-3333-3333-333333333333"]
          },
          {
            "id": "a0000000-0000-0000-0000-000000000008",
            "protocol": 112,
            "from": ["fd00::/64"]
          }
        ],
        "egress": [
          {
            "id": "a0000000-0000-0000-0000-000000000001",
            "protocol": "all",
            "to": ["any"],
            "x-neutron": {
              "IPv4": "a0000000-0000-0000-0000-000000000001",
              "IPv6": "a0000000-0000-0000-0000-000000000002"
            }
          }
        ],
        "x-neutron": {
          "name": "web",
          "project_id": "p"
        }
      },
      "sg-33333333-3333-3333-3333-333333333333": {
        "ingress": [
          {
            "id": "b0000000-0000-0000-0000-000000000001",
            "protocol": "tcp",
            "ports": [5432],
            "from": ["sg-11111111-1111-1111-1111-111111111111"]
          }
        ],
        "egress": [],
        "x-neutron": {
          "name": "db",
          "project_id": "p"
        }
      }
    },
    "interfaces": {
      "c0000001-0000-0000-0000-000000000000": {
        "labels": {
          "prod": ""
        },
        "host": "compute-1",
        "mac": "fa:16:3e:00:00:01",
        "addresses": ["10.0.0.5", "2001:db8::5"],
        "groups": ["sg-11111111-1111-1111-1111-111111111111"],
        "allowed_addresses": ["10.0.9.0/24"],
        "x-neutron": {
          "device_id": "vm-1",
          "name": "web-1",
          "network_id": "n",
          "project_id": "p"
        }
      },
      "c0000002-0000-0000-0000-000000000000": {
        "mac": "fa:16:3e:00:00:02",
        "addresses": ["10.0.0.6"],
        "groups": ["sg-33333333-3333-3333-3333-333333333333"],
        "x-neutron": {
          "name": "db-1",
          "network_id": "n",
          "project_id": "p"
        }
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                                                                                                WHERE
! same     sg-11111111-1111-1111-1111-111111111111 "fd00::1/64" has host bits: it is fd00::/64                                                                                         neutron.json#/security_groups/0/security_group_rules/7/remote_ip_prefix
! wider    sg-33333333-3333-3333-3333-333333333333 a stateless group: here replies to what its rules allow pass                                                                        neutron.json#/security_groups/1
! left-out sg-33333333-3333-3333-3333-333333333333 a rule with half a range of ports                                                                                                   neutron.json#/security_groups/1/security_group_rules/1/port_range_min
! left-out sg-33333333-3333-3333-3333-333333333333 a rule with ports of a protocol that cannot have them here                                                                          neutron.json#/security_groups/1/security_group_rules/2/port_range_min
! left-out sg-33333333-3333-3333-3333-333333333333 a rule whose remote_ip_prefix is not of its ethertype                                                                               neutron.json#/security_groups/1/security_group_rules/3/remote_ip_prefix
! left-out sg-33333333-3333-3333-3333-333333333333 a rule with icmpv6 in IPv4                                                                                                          neutron.json#/security_groups/1/security_group_rules/4/protocol
! left-out sg-33333333-3333-3333-3333-333333333333 a rule without a direction                                                                                                          neutron.json#/security_groups/1/security_group_rules/5
! left-out sg-33333333-3333-3333-3333-333333333333 a rule whose ethertype is neither IPv4 nor IPv6                                                                                     neutron.json#/security_groups/1/security_group_rules/6
! left-out c0000001-0000-0000-0000-000000000000    10.0.8.1/32 with the MAC address fa:16:3e:00:00:99: an interface has one                                                            neutron.json#/ports/0/allowed_address_pairs/1
! wider    c0000002-0000-0000-0000-000000000000    the port is down by its administrator; here it is up                                                                                neutron.json#/ports/1
! left-out c0000003-0000-0000-0000-000000000000    the port (network:dhcp) is not filtered                                                                                             neutron.json#/ports/2
! same     sg-11111111-1111-1111-1111-111111111111 the rule is limited to IPv4: pl-22222222-2222-2222-2222-222222222222.4 has those entries of pl-22222222-2222-2222-2222-222222222222 neutron.json#/security_groups/0/security_group_rules/5
! assumed  sg-11111111-1111-1111-1111-111111111111 the rule is limited to IPv4; its interfaces have no other addresses now                                                             neutron.json#/security_groups/0/security_group_rules/6
! assumed  sg-33333333-3333-3333-3333-333333333333 the rule is limited to IPv4; its interfaces have no other addresses now                                                             neutron.json#/security_groups/1/security_group_rules/0
$ sgctl import neutron neutron.json --device tap%.11i 2>/dev/null | jq -c ".interfaces[] | [.device, .host, .mac]"
  ["tapc0000001-00","compute-1","fa:16:3e:00:00:01"]
  ["tapc0000002-00",null,"fa:16:3e:00:00:02"]
