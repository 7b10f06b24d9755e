# Several VPCs: in one network, one of them, each a network of its own; an address that two of them use.

$ cd "$data/../../data/import"
$ sgctl import aws aws-two-vpcs.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-11111111": {
        "entries": ["198.51.100.0/24", "203.0.113.0/24"],
        "x-aws": {
          "EntryDescriptions": {
            "198.51.100.0/24": "Berlin"
          },
          "PrefixListName": "office"
        }
      },
      "pl-22222222": {
        "entries": [],
        "x-aws": {
          "AddressFamily": "IPv6",
          "PrefixListName": "nobody uses it"
        }
      }
    },
    "groups": {
      "sg-000000a1": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-000000a1"]
          },
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": [
              {
                "group": "sg-000000b1",
                "x-aws": {
                  "PeeringStatus": "active",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-1"
                }
              }
            ]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": [
              "pl-11111111",
              {
                "group": "sg-000000b1.stale",
                "x-aws": {
                  "GroupId": "sg-000000b1",
                  "PeeringStatus": "deleted",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-2"
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
          "GroupName": "default",
          "OwnerId": "1",
          "VpcId": "vpc-aaaaaaaa"
        }
      },
      "sg-000000b1": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-000000b1"]
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
          "OwnerId": "1",
          "VpcId": "vpc-bbbbbbbb"
        }
      },
      "sg-000000b1.stale": {
        "external": true,
        "x-aws": {
          "OwnerId": "1"
        }
      }
    },
    "interfaces": {
      "eni-a": {
        "mac": "02:00:00:00:00:0a",
        "addresses": ["10.0.0.5"],
        "groups": ["sg-000000a1"],
        "x-aws": {
          "VpcId": "vpc-aaaaaaaa"
        }
      },
      "eni-b": {
        "mac": "02:00:00:00:00:0b",
        "addresses": ["10.1.0.5"],
        "groups": ["sg-000000b1"],
        "x-aws": {
          "VpcId": "vpc-bbbbbbbb"
        }
      }
    }
  }
! EFFECT OBJECT              WHAT                                                                            WHERE
! same   sg-000000a1/ingress the peering connection to sg-000000b1 is deleted: the reference matches nothing aws-two-vpcs.json#/SecurityGroups/0/IpPermissions/2/UserIdGroupPairs/0
! same   pl-11111111         "203.0.113.7/24" has host bits: it is 203.0.113.0/24                            aws-two-vpcs.json#/PrefixLists/0/Entries/1/Cidr
$ sgctl import aws aws-two-vpcs.json --vpc vpc-aaaaaaaa --network mine
  {
    "version": 1,
    "network": "mine",
    "prefix_lists": {
      "pl-11111111": {
        "entries": ["198.51.100.0/24", "203.0.113.0/24"],
        "x-aws": {
          "EntryDescriptions": {
            "198.51.100.0/24": "Berlin"
          },
          "PrefixListName": "office"
        }
      },
      "pl-22222222": {
        "entries": [],
        "x-aws": {
          "AddressFamily": "IPv6",
          "PrefixListName": "nobody uses it"
        }
      }
    },
    "groups": {
      "sg-000000a1": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-000000a1"]
          },
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": [
              {
                "group": "sg-000000b1",
                "x-aws": {
                  "PeeringStatus": "active",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-1"
                }
              }
            ]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": [
              "pl-11111111",
              {
                "group": "sg-000000b1",
                "x-aws": {
                  "PeeringStatus": "deleted",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-2"
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
          "GroupName": "default",
          "OwnerId": "1",
          "VpcId": "vpc-aaaaaaaa"
        }
      },
      "sg-000000b1": {
        "external": true,
        "x-aws": {
          "GroupName": "default",
          "OwnerId": "1",
          "VpcId": "vpc-bbbbbbbb"
        }
      }
    },
    "interfaces": {
      "eni-a": {
        "mac": "02:00:00:00:00:0a",
        "addresses": ["10.0.0.5"],
        "groups": ["sg-000000a1"],
        "x-aws": {
          "VpcId": "vpc-aaaaaaaa"
        }
      }
    }
  }
! EFFECT   OBJECT              WHAT                                                                            WHERE
! same     sg-000000a1/ingress the peering connection to sg-000000b1 is deleted: the reference matches nothing aws-two-vpcs.json#/SecurityGroups/0/IpPermissions/2/UserIdGroupPairs/0
! same     pl-11111111         "203.0.113.7/24" has host bits: it is 203.0.113.0/24                            aws-two-vpcs.json#/PrefixLists/0/Entries/1/Cidr
! narrower sg-000000b1         the group of vpc-bbbbbbbb is not imported: it is external and matches nothing   aws-two-vpcs.json#/SecurityGroups/1
$ sgctl import aws aws-two-vpcs.json --output-dir "$work/out" 2>/dev/null | sed "s|$work/||"
  out/default.json
  out/vpc-aaaaaaaa.json
  out/vpc-bbbbbbbb.json
$ cat "$work"/out/*
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-22222222": {
        "entries": [],
        "x-aws": {
          "AddressFamily": "IPv6",
          "PrefixListName": "nobody uses it"
        }
      }
    }
  }
  {
    "version": 1,
    "network": "vpc-aaaaaaaa",
    "networks": {
      "vpc-aaaaaaaa": {
        "peers": ["vpc-bbbbbbbb"]
      }
    },
    "prefix_lists": {
      "pl-11111111": {
        "entries": ["198.51.100.0/24", "203.0.113.0/24"],
        "x-aws": {
          "EntryDescriptions": {
            "198.51.100.0/24": "Berlin"
          },
          "PrefixListName": "office"
        }
      }
    },
    "groups": {
      "sg-000000a1": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-000000a1"]
          },
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": [
              {
                "group": "vpc-bbbbbbbb:sg-000000b1",
                "x-aws": {
                  "PeeringStatus": "active",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-1"
                }
              }
            ]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": [
              "pl-11111111",
              {
                "group": "sg-000000b1.stale",
                "x-aws": {
                  "GroupId": "sg-000000b1",
                  "PeeringStatus": "deleted",
                  "VpcId": "vpc-bbbbbbbb",
                  "VpcPeeringConnectionId": "pcx-2"
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
          "GroupName": "default",
          "OwnerId": "1",
          "VpcId": "vpc-aaaaaaaa"
        }
      },
      "sg-000000b1.stale": {
        "external": true,
        "x-aws": {
          "OwnerId": "1"
        }
      }
    },
    "interfaces": {
      "eni-a": {
        "mac": "02:00:00:00:00:0a",
        "addresses": ["10.0.0.5"],
        "groups": ["sg-000000a1"],
        "x-aws": {
          "VpcId": "vpc-aaaaaaaa"
        }
      }
    }
  }
  {
    "version": 1,
    "network": "vpc-bbbbbbbb",
    "groups": {
      "sg-000000b1": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-000000b1"]
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
          "OwnerId": "1",
          "VpcId": "vpc-bbbbbbbb"
        }
      }
    },
    "interfaces": {
      "eni-b": {
        "mac": "02:00:00:00:00:0b",
        "addresses": ["10.1.0.5"],
        "groups": ["sg-000000b1"],
        "x-aws": {
          "VpcId": "vpc-bbbbbbbb"
        }
      }
    }
  }
$ sgctl validate "$work/out"
  OK: 3 groups, 6 rules, 2 interfaces
$ sgctl import aws aws-same-address.json
! aws-same-address.json: /NetworkInterfaces/1: eni-b has 10.0.0.5, which eni-a of vpc-aaaaaaaa has: a network has an address once; --vpc VPC for one of them, or --output-dir DIR for a file for each
= 1
$ sgctl import aws aws-same-address.json --vpc vpc-bbbbbbbb 2>/dev/null | jq -c .interfaces
  {"eni-b":{"mac":"02:00:00:00:00:0b","addresses":["10.0.0.5"],"groups":["sg-000000b1"],"x-aws":{"VpcId":"vpc-bbbbbbbb"}}}
$ sgctl import aws aws-same-address.json --output-dir "$work/apart" >/dev/null 2>&1 && sgctl validate "$work/apart"
  OK: 2 groups, 0 rules, 2 interfaces
