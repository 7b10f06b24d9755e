# Whole accounts of batfish's tests: groups, interfaces, prefix lists, subnets and VPCs together, and the VPCs apart.

$ cd "$data/../../data/aws"
$ sgctl import aws bf_hybrid
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-00a54069": {
        "entries": ["52.94.28.0/23"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-west-2.dynamodb"
        }
      },
      "pl-68a54001": {
        "entries": ["52.92.32.0/22", "52.218.128.0/17", "54.231.160.0/19"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-west-2.s3"
        }
      }
    },
    "groups": {
      "sg-331ad04e": {
        "description": "Arista Demo Topology",
        "labels": {
          "Name": "Arista Demo"
        },
        "ingress": [
          {
            "description": "ALL traffic within the VPC",
            "protocol": "all",
            "from": ["192.168.0.0/16"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": [
              "38.140.26.4/32",
              "38.140.26.5/32",
              "38.140.26.6/32",
              "38.140.26.7/32",
              "0.0.0.0/0"
            ]
          },
          {
            "protocol": "icmp",
            "from": ["38.140.26.0/24"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Arista Demo",
          "OwnerId": "118292266645",
          "VpcId": "vpc-b390fad5"
        }
      },
      "sg-3dfb3140": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-55510831"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "118292266645",
          "VpcId": "vpc-b390fad5"
        }
      },
      "sg-55510831": {
        "description": "RDS VPC security group",
        "labels": {
          "Name": "Default+RDS-sg"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": [
              {
                "cidr": "10.193.0.0/16",
                "description": "Internal traffic"
              },
              {
                "cidr": "107.170.243.58/32",
                "description": "inentionet-test"
              },
              {
                "cidr": "104.236.156.171/32",
                "description": "intentionet-dev"
              },
              {
                "cidr": "162.243.144.192/32",
                "description": "intentionet-web"
              },
              {
                "cidr": "67.170.86.87/32",
                "description": "surf"
              },
              {
                "group": "sg-cf3f86b3",
                "description": "jump host"
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
          "GroupName": "default",
          "OwnerId": "118292266645",
          "VpcId": "vpc-b390fad5"
        }
      },
      "sg-6c4d1408": {
        "description": "launch-wizard-2 created 2015-11-22T18:20:09.343-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-2",
          "OwnerId": "118292266645",
          "VpcId": "vpc-f8fad69d"
        }
      },
      "sg-83b348fe": {
        "description": "launch-wizard-8 created 2017-09-21T12:31:56.756-07:00",
        "ingress": [
          {
            "protocol": "all",
            "from": ["10.0.0.0/16"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-8",
          "OwnerId": "118292266645",
          "VpcId": "vpc-925131f4"
        }
      },
      "sg-94df21e9": {
        "description": "launch-wizard-6 created 2017-09-20T20:50:23.815-07:00",
        "labels": {
          "Name": ""
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["any"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["any"]
          },
          {
            "description": "ICMP ALL",
            "protocol": "icmp",
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-6",
          "OwnerId": "118292266645",
          "VpcId": "vpc-925131f4"
        }
      },
      "sg-9a1f3ffe": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard",
          "OwnerId": "118292266645",
          "VpcId": "vpc-f8fad69d"
        }
      },
      "sg-a30183d9": {
        "description": "launch-wizard-3 created 2017-07-27T00:40:28.313-07:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["71.231.80.18/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-3",
          "OwnerId": "118292266645",
          "VpcId": "vpc-f8fad69d"
        }
      },
      "sg-adcd87d0": {
        "description": "default VPC security group",
        "labels": {
          "Name": "GNS3-BGP-Test-Default"
        },
        "ingress": [
          {
            "protocol": "all",
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "118292266645",
          "VpcId": "vpc-815775e7"
        }
      },
      "sg-bb550cdf": {
        "description": "launch-wizard-1 created 2015-11-22T17:47:39.496-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-1",
          "OwnerId": "118292266645",
          "VpcId": "vpc-f8fad69d"
        }
      },
      "sg-cf3f86b3": {
        "external": true,
        "x-aws": {
          "OwnerId": "118292266645"
        }
      },
      "sg-eed02393": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-eed02393"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "118292266645",
          "VpcId": "vpc-925131f4"
        }
      }
    },
    "interfaces": {
      "eni-0681f828": {
        "mac": "02:0d:37:f2:75:5e",
        "addresses": ["10.0.0.54"],
        "groups": ["sg-94df21e9"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-62f14104",
          "VpcId": "vpc-925131f4"
        }
      },
      "eni-297b5c07": {
        "description": "core_01-eth1",
        "labels": {
          "Name": "core_01-eth1"
        },
        "mac": "02:12:55:7d:bf:32",
        "addresses": ["192.168.2.23"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0b26ec095feb42260",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-073b8061",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-4b466165": {
        "description": "border_01-eth1",
        "labels": {
          "Name": "border_01-eth1"
        },
        "mac": "02:7a:fa:4d:d1:20",
        "addresses": ["192.168.2.22"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0383fda87c012141d",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-073b8061",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-6b705445": {
        "description": "Primary network interface",
        "labels": {
          "Name": "border_02-eth0"
        },
        "mac": "02:3d:a4:f4:04:2a",
        "addresses": ["192.168.1.138"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0837c877110427f2b",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-1641fa70",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-707e5a5e": {
        "description": "Primary network interface",
        "labels": {
          "Name": "core_01-eth0"
        },
        "mac": "02:a1:70:4a:5d:8a",
        "addresses": ["192.168.1.186"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0b26ec095feb42260",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-1641fa70",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-822b55ac": {
        "mac": "02:e5:3b:63:78:f8",
        "addresses": ["10.0.0.30"],
        "groups": ["sg-83b348fe"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-62f14104",
          "VpcId": "vpc-925131f4"
        }
      },
      "eni-8c7753a2": {
        "description": "Primary network interface",
        "labels": {
          "Name": "border_01-eth0"
        },
        "mac": "02:5e:29:dd:2e:86",
        "addresses": ["192.168.1.243"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0383fda87c012141d",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-1641fa70",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-a50c2b8b": {
        "description": "border_02-eth1",
        "labels": {
          "Name": "border_02-eth1"
        },
        "mac": "02:07:89:5b:7f:5a",
        "addresses": ["192.168.2.57"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-0837c877110427f2b",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-f73a8191",
          "VpcId": "vpc-b390fad5"
        }
      },
      "eni-d2b094fc": {
        "description": "Primary network interface",
        "mac": "02:eb:c0:c9:ba:72",
        "addresses": ["192.168.1.25"],
        "groups": ["sg-331ad04e"],
        "x-aws": {
          "InstanceId": "i-075dc46a9bc347264",
          "InterfaceType": "interface",
          "OwnerId": "118292266645",
          "SubnetId": "subnet-1641fa70",
          "VpcId": "vpc-b390fad5"
        }
      }
    }
  }
! EFFECT   OBJECT          WHAT                                                                                        WHERE
! left-out subnet-8d0cbdeb there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/0
! left-out subnet-073b8061 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/1
! left-out subnet-1f315846 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/2
! left-out subnet-7044ff16 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/3
! left-out subnet-9c8adceb there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/4
! left-out subnet-1641fa70 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/5
! left-out subnet-f73a8191 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/6
! left-out subnet-62f14104 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/7
! left-out subnet-d9cafabc there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/8
! left-out subnet-30398256 there are no subnets here                                                                   bf_hybrid/Subnets.json#/Subnets/9
! left-out vpc-b390fad5    the VPC's own settings: its groups need none of them                                        bf_hybrid/Vpcs.json#/Vpcs/0
! left-out vpc-925131f4    the VPC's own settings: its groups need none of them                                        bf_hybrid/Vpcs.json#/Vpcs/1
! left-out vpc-f8fad69d    the VPC's own settings: its groups need none of them                                        bf_hybrid/Vpcs.json#/Vpcs/2
! left-out vpc-815775e7    the VPC's own settings: its groups need none of them                                        bf_hybrid/Vpcs.json#/Vpcs/3
! narrower sg-cf3f86b3     the group of account 118292266645 is not in these files: it is external and matches nothing bf_hybrid/SecurityGroups.json#/SecurityGroups/1/IpPermissions/0/UserIdGroupPairs/0
$ sgctl import aws bf_vpc_peering
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-065c26b39e45ae384": {
        "description": "launch-wizard-1 created 2019-11-28T10:48:45.477-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-1",
          "OwnerId": "554773406868",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      },
      "sg-09606ce9642cac154": {
        "description": "launch-wizard-2 created 2019-11-28T10:50:32.795-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-2",
          "OwnerId": "554773406868",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      },
      "sg-0b3df494998412a48": {
        "description": "launch-wizard-3 created 2019-11-28T10:51:12.228-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-3",
          "OwnerId": "554773406868",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      },
      "sg-0b47189ed64dfaab9": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0b47189ed64dfaab9"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      },
      "sg-0d657cf4bcdb03076": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0d657cf4bcdb03076"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      },
      "sg-0de2882d2df2dec1d": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0de2882d2df2dec1d"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      }
    },
    "interfaces": {
      "eni-0024c0af5aa1387e5": {
        "description": "Primary network interface",
        "mac": "06:78:cb:6c:fa:36",
        "addresses": ["192.168.1.106"],
        "groups": ["sg-065c26b39e45ae384"],
        "x-aws": {
          "InstanceId": "i-0b14080af811fda3d",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0ebf6378a79a3e534",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      },
      "eni-06347554b65539ff3": {
        "description": "Primary network interface",
        "mac": "06:c5:01:e3:73:54",
        "addresses": ["192.168.2.229"],
        "groups": ["sg-0b3df494998412a48"],
        "x-aws": {
          "InstanceId": "i-04a292ff83b3aa833",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0af94b59d214ff20a",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      },
      "eni-0f0708220e812876c": {
        "description": "Primary network interface",
        "mac": "0a:63:9f:a8:c0:9a",
        "addresses": ["10.10.10.157"],
        "groups": ["sg-09606ce9642cac154"],
        "x-aws": {
          "InstanceId": "i-06ba034d88c84ef07",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-006a19c846f047bd7",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      }
    }
  }
! EFFECT   OBJECT                   WHAT                                                 WHERE
! left-out subnet-0ebf6378a79a3e534 there are no subnets here                            bf_vpc_peering/Subnets.json#/Subnets/0
! left-out subnet-0af94b59d214ff20a there are no subnets here                            bf_vpc_peering/Subnets.json#/Subnets/1
! left-out subnet-006a19c846f047bd7 there are no subnets here                            bf_vpc_peering/Subnets.json#/Subnets/2
! left-out vpc-00a31ce9d0c06675c    the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/0
! left-out vpc-09095dbf2886404ee    the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/1
! left-out vpc-0404e08ceddf7f650    the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/2
$ sgctl import aws bf_vpce_iface
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-02cd2c6b": {
        "entries": ["52.94.0.0/22", "52.119.224.0/20"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-east-1.dynamodb"
        }
      },
      "pl-63a5400a": {
        "entries": ["3.5.0.0/20", "3.5.16.0/21", "52.216.0.0/15", "54.231.0.0/17"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-east-1.s3"
        }
      }
    },
    "groups": {
      "sg-0973207c61f3466e1": {
        "description": "Managed by Terraform",
        "labels": {
          "Name": "testing_general"
        },
        "ingress": [
          {
            "description": "Traceroute Access",
            "protocol": "udp",
            "ports": ["33434-33534"],
            "from": ["0.0.0.0/0"]
          },
          {
            "description": "SSH Access",
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          },
          {
            "description": "ICMP Access",
            "protocol": "icmp",
            "icmp": {
              "type": "echo-request",
              "code": 0
            },
            "from": ["0.0.0.0/0"]
          },
          {
            "description": "HTTP Access",
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "description": "Allow all",
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "testing_sg",
          "OwnerId": "554773406868",
          "VpcId": "vpc-072d45b801aeffef2"
        }
      },
      "sg-0acc7b0239b897510": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0acc7b0239b897510"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-072d45b801aeffef2"
        }
      }
    },
    "interfaces": {
      "eni-0084b734451ba23ca": {
        "description": "VPC Endpoint Interface vpce-083c683a6be29b889",
        "mac": "12:15:cd:54:1b:51",
        "addresses": ["10.1.101.97"],
        "groups": ["sg-0973207c61f3466e1"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0bb8615d8368ece31",
          "VpcId": "vpc-072d45b801aeffef2"
        }
      },
      "eni-03ffdf7beb0ee9a00": {
        "mac": "12:29:41:c2:61:a7",
        "addresses": ["10.1.1.88"],
        "groups": ["sg-0973207c61f3466e1"],
        "x-aws": {
          "InstanceId": "i-0eb6eb395a0d09117",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0611b848137c513d1",
          "VpcId": "vpc-072d45b801aeffef2"
        }
      },
      "eni-049c6a0839a3348e8": {
        "mac": "12:9e:a3:75:e8:f9",
        "addresses": ["10.1.101.63"],
        "groups": ["sg-0973207c61f3466e1"],
        "x-aws": {
          "InstanceId": "i-0a0fbd0cfa774970f",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0bb8615d8368ece31",
          "VpcId": "vpc-072d45b801aeffef2"
        }
      }
    }
  }
! EFFECT   OBJECT                   WHAT                                                 WHERE
! left-out subnet-0611b848137c513d1 there are no subnets here                            bf_vpce_iface/Subnets.json#/Subnets/0
! left-out subnet-0bb8615d8368ece31 there are no subnets here                            bf_vpce_iface/Subnets.json#/Subnets/1
! left-out vpc-072d45b801aeffef2    the VPC's own settings: its groups need none of them bf_vpce_iface/Vpcs.json#/Vpcs/0
$ sgctl import aws bf_hybrid/NetworkInterfaces.json >/dev/null
! EFFECT   OBJECT      WHAT                                                                           WHERE
! narrower sg-331ad04e interfaces carry the group, its rules are not in these files: nothing may pass bf_hybrid/NetworkInterfaces.json#/NetworkInterfaces/0/Groups/0
! narrower sg-83b348fe interfaces carry the group, its rules are not in these files: nothing may pass bf_hybrid/NetworkInterfaces.json#/NetworkInterfaces/2/Groups/0
! narrower sg-94df21e9 interfaces carry the group, its rules are not in these files: nothing may pass bf_hybrid/NetworkInterfaces.json#/NetworkInterfaces/6/Groups/0
$ sgctl import aws bf_hybrid/PrefixLists.json >/dev/null
$ sgctl import aws bf_hybrid/SecurityGroups.json >/dev/null
! EFFECT   OBJECT      WHAT                                                                                        WHERE
! narrower sg-cf3f86b3 the group of account 118292266645 is not in these files: it is external and matches nothing bf_hybrid/SecurityGroups.json#/SecurityGroups/1/IpPermissions/0/UserIdGroupPairs/0
$ sgctl import aws bf_hybrid/Subnets.json >/dev/null
! EFFECT   OBJECT          WHAT                      WHERE
! left-out subnet-8d0cbdeb there are no subnets here bf_hybrid/Subnets.json#/Subnets/0
! left-out subnet-073b8061 there are no subnets here bf_hybrid/Subnets.json#/Subnets/1
! left-out subnet-1f315846 there are no subnets here bf_hybrid/Subnets.json#/Subnets/2
! left-out subnet-7044ff16 there are no subnets here bf_hybrid/Subnets.json#/Subnets/3
! left-out subnet-9c8adceb there are no subnets here bf_hybrid/Subnets.json#/Subnets/4
! left-out subnet-1641fa70 there are no subnets here bf_hybrid/Subnets.json#/Subnets/5
! left-out subnet-f73a8191 there are no subnets here bf_hybrid/Subnets.json#/Subnets/6
! left-out subnet-62f14104 there are no subnets here bf_hybrid/Subnets.json#/Subnets/7
! left-out subnet-d9cafabc there are no subnets here bf_hybrid/Subnets.json#/Subnets/8
! left-out subnet-30398256 there are no subnets here bf_hybrid/Subnets.json#/Subnets/9
$ sgctl import aws bf_hybrid/Vpcs.json >/dev/null
! EFFECT   OBJECT       WHAT                                                 WHERE
! left-out vpc-b390fad5 the VPC's own settings: its groups need none of them bf_hybrid/Vpcs.json#/Vpcs/0
! left-out vpc-925131f4 the VPC's own settings: its groups need none of them bf_hybrid/Vpcs.json#/Vpcs/1
! left-out vpc-f8fad69d the VPC's own settings: its groups need none of them bf_hybrid/Vpcs.json#/Vpcs/2
! left-out vpc-815775e7 the VPC's own settings: its groups need none of them bf_hybrid/Vpcs.json#/Vpcs/3
$ sgctl import aws bf_vpc_peering/NetworkInterfaces.json >/dev/null
! EFFECT   OBJECT               WHAT                                                                           WHERE
! narrower sg-065c26b39e45ae384 interfaces carry the group, its rules are not in these files: nothing may pass bf_vpc_peering/NetworkInterfaces.json#/NetworkInterfaces/2/Groups/0
! narrower sg-09606ce9642cac154 interfaces carry the group, its rules are not in these files: nothing may pass bf_vpc_peering/NetworkInterfaces.json#/NetworkInterfaces/1/Groups/0
! narrower sg-0b3df494998412a48 interfaces carry the group, its rules are not in these files: nothing may pass bf_vpc_peering/NetworkInterfaces.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws bf_vpc_peering/SecurityGroups.json >/dev/null
$ sgctl import aws bf_vpc_peering/Subnets.json >/dev/null
! EFFECT   OBJECT                   WHAT                      WHERE
! left-out subnet-0ebf6378a79a3e534 there are no subnets here bf_vpc_peering/Subnets.json#/Subnets/0
! left-out subnet-0af94b59d214ff20a there are no subnets here bf_vpc_peering/Subnets.json#/Subnets/1
! left-out subnet-006a19c846f047bd7 there are no subnets here bf_vpc_peering/Subnets.json#/Subnets/2
$ sgctl import aws bf_vpc_peering/Vpcs.json >/dev/null
! EFFECT   OBJECT                WHAT                                                 WHERE
! left-out vpc-00a31ce9d0c06675c the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/0
! left-out vpc-09095dbf2886404ee the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/1
! left-out vpc-0404e08ceddf7f650 the VPC's own settings: its groups need none of them bf_vpc_peering/Vpcs.json#/Vpcs/2
$ sgctl import aws bf_vpce_iface/NetworkInterfaces.json >/dev/null
! EFFECT   OBJECT               WHAT                                                                           WHERE
! narrower sg-0973207c61f3466e1 interfaces carry the group, its rules are not in these files: nothing may pass bf_vpce_iface/NetworkInterfaces.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws bf_vpce_iface/PrefixLists.json >/dev/null
$ sgctl import aws bf_vpce_iface/SecurityGroups.json >/dev/null
$ sgctl import aws bf_vpce_iface/Subnets.json >/dev/null
! EFFECT   OBJECT                   WHAT                      WHERE
! left-out subnet-0611b848137c513d1 there are no subnets here bf_vpce_iface/Subnets.json#/Subnets/0
! left-out subnet-0bb8615d8368ece31 there are no subnets here bf_vpce_iface/Subnets.json#/Subnets/1
$ sgctl import aws bf_vpce_iface/Vpcs.json >/dev/null
! EFFECT   OBJECT                WHAT                                                 WHERE
! left-out vpc-072d45b801aeffef2 the VPC's own settings: its groups need none of them bf_vpce_iface/Vpcs.json#/Vpcs/0
$ sgctl import aws bf_vpc_peering --output-dir "$work/vpcs" 2>/dev/null | sed "s|$work/||"
  vpcs/vpc-00a31ce9d0c06675c.json
  vpcs/vpc-0404e08ceddf7f650.json
  vpcs/vpc-09095dbf2886404ee.json
$ cat "$work"/vpcs/vpc-0*.json
  {
    "version": 1,
    "network": "vpc-00a31ce9d0c06675c",
    "groups": {
      "sg-065c26b39e45ae384": {
        "description": "launch-wizard-1 created 2019-11-28T10:48:45.477-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-1",
          "OwnerId": "554773406868",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      },
      "sg-0d657cf4bcdb03076": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0d657cf4bcdb03076"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      }
    },
    "interfaces": {
      "eni-0024c0af5aa1387e5": {
        "description": "Primary network interface",
        "mac": "06:78:cb:6c:fa:36",
        "addresses": ["192.168.1.106"],
        "groups": ["sg-065c26b39e45ae384"],
        "x-aws": {
          "InstanceId": "i-0b14080af811fda3d",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0ebf6378a79a3e534",
          "VpcId": "vpc-00a31ce9d0c06675c"
        }
      }
    }
  }
  {
    "version": 1,
    "network": "vpc-0404e08ceddf7f650",
    "groups": {
      "sg-09606ce9642cac154": {
        "description": "launch-wizard-2 created 2019-11-28T10:50:32.795-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-2",
          "OwnerId": "554773406868",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      },
      "sg-0de2882d2df2dec1d": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0de2882d2df2dec1d"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      }
    },
    "interfaces": {
      "eni-0f0708220e812876c": {
        "description": "Primary network interface",
        "mac": "0a:63:9f:a8:c0:9a",
        "addresses": ["10.10.10.157"],
        "groups": ["sg-09606ce9642cac154"],
        "x-aws": {
          "InstanceId": "i-06ba034d88c84ef07",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-006a19c846f047bd7",
          "VpcId": "vpc-0404e08ceddf7f650"
        }
      }
    }
  }
  {
    "version": 1,
    "network": "vpc-09095dbf2886404ee",
    "groups": {
      "sg-0b3df494998412a48": {
        "description": "launch-wizard-3 created 2019-11-28T10:51:12.228-08:00",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "launch-wizard-3",
          "OwnerId": "554773406868",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      },
      "sg-0b47189ed64dfaab9": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0b47189ed64dfaab9"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "554773406868",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      }
    },
    "interfaces": {
      "eni-06347554b65539ff3": {
        "description": "Primary network interface",
        "mac": "06:c5:01:e3:73:54",
        "addresses": ["192.168.2.229"],
        "groups": ["sg-0b3df494998412a48"],
        "x-aws": {
          "InstanceId": "i-04a292ff83b3aa833",
          "InterfaceType": "interface",
          "OwnerId": "554773406868",
          "SubnetId": "subnet-0af94b59d214ff20a",
          "VpcId": "vpc-09095dbf2886404ee"
        }
      }
    }
  }
$ sgctl validate "$work/vpcs"
  OK: 6 groups, 12 rules, 3 interfaces
