# What strangers' files hold: wrappers, AWS Config, names without ids, permissions that mean nothing, all of it reported.

$ cd "$data/../../data/import"
$ sgctl import aws aws-wrappers.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0a0a0a0a": {
        "description": "one",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["192.0.2.0/24"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "in-a-list-of-lists",
          "OwnerId": "111122223333",
          "VpcId": "vpc-1"
        }
      },
      "sg-0b0b0b0b": {
        "description": "two",
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["any"]
          }
        ],
        "x-aws": {
          "GroupName": "in-an-object",
          "VpcId": "vpc-1"
        }
      }
    }
  }
! EFFECT   OBJECT WHAT                                            WHERE
! left-out -      the listing goes on: this file is not all of it aws-wrappers.json#/1/NextToken
$ sgctl import aws aws-config.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-12345678": {
        "external": true
      }
    },
    "groups": {
      "sg-0c0c0c0c": {
        "description": "d",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": [
              {
                "cidr": "10.0.0.0/8",
                "description": "inside"
              },
              "pl-12345678"
            ]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "from-a-query",
          "VpcId": "vpc-1"
        }
      },
      "sg-0d0d0d0d": {
        "description": "new",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3],
            "from": ["192.0.2.3/32"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "history",
          "VpcId": "vpc-1"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                                      WHERE
! narrower sg-0d0d0d0d a group of no VPC (EC2-Classic) did not filter egress; here nothing may go out            aws-config.json#/configurationItems/0/configuration
! left-out sg-0d0d0d0d an earlier state of the group: the newest capture holds                                   aws-config.json#/configurationItems/1
! left-out sg-0d0d0d0d an earlier state of the group: the newest capture holds                                   aws-config.json#/configurationItems/2
! left-out sg-0e0e0e0e the resource was deleted                                                                  aws-config.json#/configurationItems/3
! left-out i-1         a resource of type AWS::EC2::Instance                                                     aws-config.json#/configurationItems/4
! narrower pl-12345678 the entries of the prefix list are not in these files: it is external and matches nothing aws-config.json#/Results/0/configuration/ipPermissions/0/prefixListIds/0
$ sgctl import aws aws-names.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0f0f0f0f": {
        "description": "has both",
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "front",
          "OwnerId": "111122223333"
        }
      },
      "sg-843f59ed": {
        "external": true,
        "x-aws": {
          "OwnerId": "amazon-elb"
        }
      },
      "sg-my-group-1": {
        "description": "\u001b[31mred",
        "ingress": [
          {
            "protocol": "udp",
            "ports": [53],
            "from": ["sg-my-group-1", "sg-843f59ed"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupId": "my group/1",
          "GroupName": "an id that is none here",
          "VpcId": "..-vpc-1"
        }
      },
      "sg-my-group-1-2": {
        "description": "d",
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupId": "my group 1",
          "GroupName": "a second that would be spelled the same",
          "VpcId": "vpc-1"
        }
      },
      "sg-name-default": {
        "external": true,
        "x-aws": {
          "GroupName": "default"
        }
      },
      "sg-name-web-servers": {
        "description": "EC2-Classic, old tools: no ids",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": [
              "sg-0f0f0f0f",
              {
                "group": "sg-name-default",
                "x-aws": {
                  "UserId": "444455556666"
                }
              }
            ]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "web servers",
          "OwnerId": "111122223333"
        }
      }
    }
  }
! EFFECT   OBJECT                      WHAT                                                                                      WHERE
! same     sg-name-web-servers         "name-web servers" is no id here: it is called sg-name-web-servers                        aws-names.json#/SecurityGroups/0
! left-out sg-name-web-servers/ingress a peer that names no group                                                                aws-names.json#/SecurityGroups/0/IpPermissions/0/UserIdGroupPairs/2
! narrower sg-name-web-servers         a group of no VPC (EC2-Classic) did not filter egress; here nothing may go out            aws-names.json#/SecurityGroups/0
! same     sg-my-group-1               "my group/1" is no id here: it is called sg-my-group-1                                    aws-names.json#/SecurityGroups/2
! same     ..-vpc-1                    "../vpc 1" is no id here: it is called ..-vpc-1                                           aws-names.json#/SecurityGroups/2
! same     sg-my-group-1-2             "my group 1" is no id here: it is called sg-my-group-1-2                                  aws-names.json#/SecurityGroups/3
! same     sg-name-web-servers         the group named front is sg-0f0f0f0f                                                      aws-names.json#/SecurityGroups/0/IpPermissions/0
! narrower sg-843f59ed                 the group of account amazon-elb is not in these files: it is external and matches nothing aws-names.json#/SecurityGroups/2/IpPermissions/0/UserIdGroupPairs/1
! narrower sg-name-default             the group is not in these files: it is external and matches nothing                       aws-names.json#/SecurityGroups/0/IpPermissions/0
$ sgctl import aws aws-strange.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-00000001": {
        "description": "what no rule can say, beside what one can",
        "labels": {
          "Name": "a",
          "aws:cloudformation:stack-name": "x",
          "x-note": ""
        },
        "ingress": [
          {
            "protocol": "icmp",
            "from": ["10.1.0.0/16"]
          },
          {
            "protocol": "sctp",
            "from": ["10.2.0.0/16"]
          },
          {
            "protocol": "all",
            "from": ["10.3.0.0/16"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["10.4.0.0/16", "10.4.0.0/32"]
          },
          {
            "description": "same",
            "protocol": "icmpv6",
            "icmp": {
              "type": "echo-request",
              "code": 0
            },
            "from": ["2001:db8::/48", "2001:db8:1::/48"]
          },
          {
            "protocol": "udp",
            "ports": [53],
            "from": [
              {
                "cidr": "0.0.0.0/0",
                "description": "v4"
              },
              {
                "cidr": "::/0",
                "description": "v6"
              }
            ]
          },
          {
            "protocol": "udp",
            "ports": [123],
            "from": ["any"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "strange",
          "VpcId": "vpc-1"
        }
      }
    }
  }
! EFFECT   OBJECT              WHAT                                                                  WHERE
! left-out sg-00000001         its stale rules: the permissions of the group itself hold             aws-strange.json#/StaleSecurityGroupSet/0
! left-out sg-00000001         vpc-9 refers to it: nothing here depends on that                      aws-strange.json#/SecurityGroupReferenceSet/0
! left-out sg-00000001         a second tag "Name"                                                   aws-strange.json#/SecurityGroups/0/Tags/1
! left-out sg-00000001         a tag without a key                                                   aws-strange.json#/SecurityGroups/0/Tags/4
! left-out sg-00000001         the field "Quota" (60) has no meaning here                            aws-strange.json#/SecurityGroups/0/Quota
! left-out sg-00000001/ingress a rule with the ports 443 to 80: that is no range                     aws-strange.json#/SecurityGroups/0/IpPermissions/0/FromPort
! left-out sg-00000001/ingress a rule with one end of a range of ports alone                         aws-strange.json#/SecurityGroups/0/IpPermissions/1/FromPort
! left-out sg-00000001/ingress a rule with the ports 0 to 70000: that is no range                    aws-strange.json#/SecurityGroups/0/IpPermissions/2/FromPort
! left-out sg-00000001/ingress a rule with the port "https": it is no number                         aws-strange.json#/SecurityGroups/0/IpPermissions/3/FromPort
! left-out sg-00000001/ingress a rule with the protocol "nosuch": there is none of that name         aws-strange.json#/SecurityGroups/0/IpPermissions/4/IpProtocol
! left-out sg-00000001/ingress a rule with the protocol "300": there is none of that name            aws-strange.json#/SecurityGroups/0/IpPermissions/5/IpProtocol
! left-out sg-00000001/ingress a rule without a protocol                                             aws-strange.json#/SecurityGroups/0/IpPermissions/6/IpProtocol
! left-out sg-00000001/ingress a rule with ICMP type 0 and code 65535: they go from 0 to 255         aws-strange.json#/SecurityGroups/0/IpPermissions/7/FromPort
! assumed  sg-00000001/ingress code 0 of every type is read as every type and code, as AWS does      aws-strange.json#/SecurityGroups/0/IpPermissions/8/FromPort
! assumed  sg-00000001/ingress the ports 3868 to 3868 of protocol sctp are ignored, as AWS does      aws-strange.json#/SecurityGroups/0/IpPermissions/9/FromPort
! assumed  sg-00000001/ingress the ports 22 to 22 of protocol all are ignored, as AWS does           aws-strange.json#/SecurityGroups/0/IpPermissions/10/FromPort
! same     sg-00000001/ingress "10.4.0.1/16" has host bits: it is 10.4.0.0/16                        aws-strange.json#/SecurityGroups/0/IpPermissions/11/IpRanges/0/CidrIp
! left-out sg-00000001/ingress "ten" is no CIDR                                                      aws-strange.json#/SecurityGroups/0/IpPermissions/11/IpRanges/3/CidrIp
! left-out sg-00000001/ingress null is no CIDR                                                       aws-strange.json#/SecurityGroups/0/IpPermissions/11/IpRanges/4/CidrIp
! left-out sg-00000001/ingress null is no CIDR                                                       aws-strange.json#/SecurityGroups/0/IpPermissions/11/IpRanges/5/CidrIp
! left-out sg-00000001/ingress the field "Reason" ("why not") has no meaning here                    aws-strange.json#/SecurityGroups/0/IpPermissions/14/Reason
! left-out sg-00000001/ingress a peer that names no prefix list                                      aws-strange.json#/SecurityGroups/0/IpPermissions/16/PrefixListIds/0
! left-out sg-00000001/ingress a rule without peers allows nothing                                   aws-strange.json#/SecurityGroups/0/IpPermissions/17
! left-out sg-00000001/ingress a permission that is no object                                        aws-strange.json#/SecurityGroups/0/IpPermissions/18
! assumed  sg-00000001         no egress permissions are given: nothing may go out                   aws-strange.json#/SecurityGroups/0
! left-out sg-00000001         the group is described before, in another way: that description holds aws-strange.json#/SecurityGroups/1
! left-out -                   a value where an object is expected                                   aws-strange.json#/SecurityGroups/2
! left-out -                   the field "NetworkAcls" (a list of 1) has no meaning here             aws-strange.json#/NetworkAcls
! same     sg-00000001         the permission for 10.4.0.0/16 is there before                        aws-strange.json#/SecurityGroups/0/IpPermissions/11
! same     sg-00000001         the permission for 0.0.0.0/0 is there before                          aws-strange.json#/SecurityGroups/0/IpPermissions/15
$ sgctl import aws aws-rules-of-group.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0a0a0a0a": {
        "ingress": [
          {
            "id": "sgr-0000000000000000a",
            "description": "the world",
            "labels": {
              "ticket": "42"
            },
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "111122223333"
        }
      }
    }
  }
! EFFECT   OBJECT                            WHAT                                                                         WHERE
! left-out -                                 a rule without IsEgress                                                      aws-rules-of-group.json#/SecurityGroupRules/2
! left-out sg-0a0a0a0a/sgr-0000000000000000c a rule without peers allows nothing                                          aws-rules-of-group.json#/SecurityGroupRules/3
! left-out sg-0a0a0a0a                       a second rule has the id sgr-0000000000000000a: it gets one from its content aws-rules-of-group.json#/SecurityGroupRules/1
! assumed  sg-0a0a0a0a                       only rules of the group are given: they are taken for all of them            aws-rules-of-group.json#/SecurityGroupRules/0

# The rules of a group by themselves lend their ids to the group's list.
$ sgctl import aws aws-interfaces.json aws-rules-of-group.json 2>/dev/null | jq .groups
  {
    "sg-0a0a0a0a": {
      "description": "web",
      "ingress": [
        {
          "id": "sgr-0000000000000000a",
          "description": "the world",
          "labels": {
            "ticket": "42"
          },
          "protocol": "tcp",
          "ports": [
            443
          ],
          "from": [
            "0.0.0.0/0"
          ]
        },
        {
          "protocol": "tcp",
          "ports": [
            80
          ],
          "from": [
            "0.0.0.0/0"
          ]
        }
      ],
      "egress": [],
      "x-aws": {
        "GroupName": "web",
        "OwnerId": "111122223333",
        "VpcId": "vpc-1"
      }
    }
  }

# Interfaces: devices by pattern and by map, delegated prefixes, timeouts, no source check.
$ sgctl import aws aws-interfaces.json --device tap-%.8I --map map.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0a0a0a0a": {
        "description": "web",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "web",
          "OwnerId": "111122223333",
          "VpcId": "vpc-1"
        }
      }
    },
    "interfaces": {
      "eni-00000000000000003": {
        "device": "tap-00000000",
        "addresses": [],
        "groups": ["sg-0a0a0a0a"],
        "x-aws": {
          "VpcId": "vpc-1"
        }
      },
      "eni-0123456789abcdef0": {
        "labels": {
          "Name": "web-1"
        },
        "device": "tap7",
        "mac": "02:00:00:00:00:01",
        "addresses": ["10.0.0.5", "10.0.0.6", "2001:db8::5"],
        "groups": ["sg-0a0a0a0a"],
        "allowed_addresses": ["10.0.1.0/28", "2001:db8:0:0:1::/80"],
        "conntrack": {
          "tcp_established": 3600,
          "udp_stream": 120
        },
        "x-aws": {
          "InterfaceType": "interface",
          "VpcId": "vpc-1"
        }
      },
      "eni-0fedcba9876543210": {
        "device": "tap8",
        "mac": "02:00:00:00:00:02",
        "addresses": ["10.0.0.9"],
        "groups": ["sg-0a0a0a0a"],
        "spoof_guard": false,
        "x-aws": {
          "VpcId": "vpc-1"
        }
      },
      "i-1": {
        "labels": {
          "Name": "classic"
        },
        "device": "tap-i-1",
        "addresses": ["10.9.0.1"],
        "groups": ["sg-0a0a0a0a"]
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                                    WHERE
! narrower eni-0123456789abcdef0 10.0.1.0/28 may be used by the interface, but is no part of its groups as peers         aws-interfaces.json#/NetworkInterfaces/0/Ipv4Prefixes/0
! narrower eni-0123456789abcdef0 2001:db8:0:0:1::/80 may be used by the interface, but is no part of its groups as peers aws-interfaces.json#/NetworkInterfaces/0/Ipv6Prefixes/0
! left-out eni-0123456789abcdef0 UdpTimeout goes from 30 to 60                                                           aws-interfaces.json#/NetworkInterfaces/0/ConnectionTrackingConfiguration/UdpTimeout
! same     eni-0fedcba9876543210 without source/destination check: spoof_guard is off                                    aws-interfaces.json#/NetworkInterfaces/1
! left-out eni-0fedcba9876543210 DenyAllIgwTraffic: there is no internet gateway here                                    aws-interfaces.json#/NetworkInterfaces/1
! left-out eni-0fedcba9876543210 the field "Color" ("blue") has no meaning here                                          aws-interfaces.json#/NetworkInterfaces/1/Color
! wider    eni-00000000000000003 "bad" is no MAC address: the source MAC is not checked                                  aws-interfaces.json#/NetworkInterfaces/2/MacAddress
! left-out eni-00000000000000003 "127.0.0.1" is no address of an interface                                               aws-interfaces.json#/NetworkInterfaces/2/PrivateIpAddress
! narrower eni-00000000000000003 a group without GroupId, which it cannot carry                                          aws-interfaces.json#/NetworkInterfaces/2/Groups/0
! left-out eni-00000000000000004 the interface (nat_gateway) carries no security group: AWS does not filter it           aws-interfaces.json#/NetworkInterfaces/3
! left-out i-2                   an instance without an interface, as after its end                                      aws-interfaces.json#/Reservations/0/Instances/1
! left-out i-3                   an interface without NetworkInterfaceId                                                 aws-interfaces.json#/Reservations/0/Instances/2/NetworkInterfaces/0
! left-out eni-unknown           --map names an interface that is not imported                                           -

# Entries of a second call: the name of the file says whose they are, or one list alone waits for them, or --entries.
$ sgctl import aws pl-33333333-entries.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-33333333": {
        "entries": ["192.0.2.0/24"],
        "x-aws": {
          "EntryDescriptions": {
            "192.0.2.0/24": "lab"
          }
        }
      }
    }
  }
$ sgctl import aws aws-list-without-entries.json second-call.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-44444444": {
        "entries": ["192.0.2.128/25"],
        "x-aws": {
          "PrefixListName": "waits for its entries"
        }
      }
    }
  }
! EFFECT  OBJECT      WHAT                                                                                                                  WHERE
! assumed pl-44444444 the file does not say whose entries these are: they are taken for those of pl-44444444 (--entries FILE=pl-ID says it) second-call.json#/Entries
$ sgctl import aws aws-list-without-entries.json second-call.json --entries second-call.json=pl-55555555
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-44444444": {
        "external": true,
        "x-aws": {
          "PrefixListName": "waits for its entries"
        }
      },
      "pl-55555555": {
        "entries": ["192.0.2.128/25"]
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                                      WHERE
! narrower pl-44444444 the entries of the prefix list are not in these files: it is external and matches nothing aws-list-without-entries.json#/PrefixLists/0
$ sgctl import aws second-call.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-second-call": {
        "entries": ["192.0.2.128/25"]
      }
    }
  }
! EFFECT  OBJECT         WHAT                                                                                                                     WHERE
! assumed pl-second-call the file does not say whose entries these are: they are taken for those of pl-second-call (--entries FILE=pl-ID says it) second-call.json#/Entries

# What PowerShell writes: UTF-16, or UTF-8, with a mark before it.
$ (printf '\xff\xfe'; iconv -t UTF-16LE aws-wrappers.json) | sgctl import aws - 2>/dev/null | cmp - <(sgctl import aws aws-wrappers.json 2>/dev/null)
$ (printf '\xef\xbb\xbf'; cat aws-wrappers.json) | sgctl import aws - 2>/dev/null | cmp - <(sgctl import aws aws-wrappers.json 2>/dev/null)
$ printf '\xff\xfe\x00' | sgctl import aws -
! -:1:0: this is not JSON: unexpected token near end of file
= 1
