# Odd shapes of security groups in one file: protocols by number, ICMP, peering, EC2-Classic.

$ cd "$data/../../data/aws/composed"
$ sgctl import aws odd_shapes_8sg.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-f8a6439125e7bf465": {
        "external": true
      }
    },
    "groups": {
      "sg-00000000000000001": {
        "description": "vpn-management",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1723],
            "from": ["203.0.113.85/32"]
          },
          {
            "protocol": "ah",
            "from": ["203.0.113.85/32"]
          },
          {
            "protocol": "esp",
            "from": ["203.0.113.85/32"]
          },
          {
            "protocol": "gre",
            "from": ["203.0.113.85/32"]
          },
          {
            "protocol": "udp",
            "ports": [500],
            "from": ["203.0.113.85/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "vpn-management",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000001",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000002": {
        "description": "esp-with-zero-ports",
        "ingress": [
          {
            "protocol": "esp",
            "from": ["any"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "esp-with-zero-ports",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000002",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000003": {
        "description": "icmpv6",
        "ingress": [
          {
            "protocol": "icmpv6",
            "from": ["::/0"]
          },
          {
            "protocol": "icmpv6",
            "icmp": {
              "type": "nd-neighbor-solicit",
              "code": 135
            },
            "from": ["::/0"]
          },
          {
            "protocol": "icmpv6",
            "icmp": {
              "type": "nd-neighbor-advert"
            },
            "from": ["2001:db8::/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "icmpv6",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000003",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000004": {
        "description": "ping-and-pmtud",
        "ingress": [
          {
            "protocol": "icmp",
            "icmp": {
              "type": "echo-request"
            },
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "icmp",
            "icmp": {
              "type": "destination-unreachable",
              "code": 4
            },
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "icmp",
            "icmp": {
              "type": "echo-reply"
            },
            "from": ["10.0.0.0/8"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "ping-and-pmtud",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000004",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000005": {
        "description": "peer-cross-account",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": [
              {
                "group": "sg-0bbb0bbb0bbb0bbb0",
                "description": "peer-sg-c-ref",
                "x-aws": {
                  "PeeringStatus": "active",
                  "VpcId": "vpc-0ddd0ddd0ddd0ddd0",
                  "VpcPeeringConnectionId": "pcx-0ccc0ccc0ccc0ccc0"
                }
              },
              {
                "group": "sg-0eee0eee0eee0eee0",
                "description": "gone",
                "x-aws": {
                  "PeeringStatus": "deleted",
                  "VpcId": "vpc-0ddd0ddd0ddd0ddd0"
                }
              }
            ]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "peer-cross-account",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000005",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000006": {
        "description": "ipip-to-nodes",
        "ingress": [],
        "egress": [
          {
            "protocol": 4,
            "to": ["sg-00000000000000001"]
          }
        ],
        "x-aws": {
          "GroupName": "ipip-to-nodes",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000006",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-00000000000000007": {
        "description": "prefix-list-and-group-and-cidr",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": [
              "10.0.0.0/16",
              "2001:db8:1::/48",
              "pl-f8a6439125e7bf465",
              "sg-00000000000000007"
            ]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "prefix-list-and-group-and-cidr",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-00000000000000007",
          "VpcId": "vpc-0aaa0aaa0aaa0aaa0"
        }
      },
      "sg-0bbb0bbb0bbb0bbb0": {
        "external": true,
        "x-aws": {
          "OwnerId": "222222222222"
        }
      },
      "sg-0eee0eee0eee0eee0": {
        "external": true
      },
      "sg-238aa74a": {
        "external": true,
        "x-aws": {
          "GroupName": "ntsjavaharness",
          "OwnerId": "111122223333"
        }
      },
      "sg-3ef0a057": {
        "description": "EC2-Classic behind an old ELB",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [7001],
            "from": ["sg-843f59ed", "sg-238aa74a"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "ntsuiboot",
          "OwnerId": "111122223333"
        }
      },
      "sg-843f59ed": {
        "external": true,
        "x-aws": {
          "GroupName": "amazon-elb-sg",
          "OwnerId": "amazon-elb"
        }
      }
    }
  }
! EFFECT   OBJECT                       WHAT                                                                                        WHERE
! same     sg-00000000000000005/ingress the peering connection to sg-0eee0eee0eee0eee0 is deleted: the reference matches nothing    odd_shapes_8sg.json#/SecurityGroups/4/IpPermissions/0/UserIdGroupPairs/1
! narrower sg-3ef0a057                  a group of no VPC (EC2-Classic) did not filter egress; here nothing may go out              odd_shapes_8sg.json#/SecurityGroups/7
! narrower sg-0bbb0bbb0bbb0bbb0         the group of account 222222222222 is not in these files: it is external and matches nothing odd_shapes_8sg.json#/SecurityGroups/4/IpPermissions/0/UserIdGroupPairs/0
! narrower sg-238aa74a                  the group of account 111122223333 is not in these files: it is external and matches nothing odd_shapes_8sg.json#/SecurityGroups/7/IpPermissions/0/UserIdGroupPairs/1
! narrower sg-843f59ed                  the group of account amazon-elb is not in these files: it is external and matches nothing   odd_shapes_8sg.json#/SecurityGroups/7/IpPermissions/0/UserIdGroupPairs/0
! narrower pl-f8a6439125e7bf465         the entries of the prefix list are not in these files: it is external and matches nothing   odd_shapes_8sg.json#/SecurityGroups/6/IpPermissions/0/PrefixListIds/0
