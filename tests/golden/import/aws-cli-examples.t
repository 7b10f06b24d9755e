# The examples of the AWS CLI's manual and of the EC2 user guide, one by one.

$ cd "$data/../../data/aws/awscli_doc"
$ sgctl import aws authorize-security-group-egress_1.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [],
        "egress": [
          {
            "id": "sgr-0b15794cdb17bf29c",
            "protocol": "tcp",
            "ports": [80],
            "to": ["10.0.0.0/16"]
          }
        ],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-egress_1.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-egress_2.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0aad1c26bbeec5c22": {
        "external": true,
        "x-aws": {
          "OwnerId": "123456789012"
        }
      },
      "sg-1234567890abcdef0": {
        "ingress": [],
        "egress": [
          {
            "id": "sgr-0b5dd815afcea9cc3",
            "protocol": "tcp",
            "ports": [80],
            "to": ["sg-0aad1c26bbeec5c22"]
          }
        ],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                        WHERE
! narrower sg-0aad1c26bbeec5c22 the group of account 123456789012 is not in these files: it is external and matches nothing authorize-security-group-egress_2.json#/SecurityGroupRules/0/ReferencedGroupInfo
! assumed  sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them                           authorize-security-group-egress_2.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_1.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-01afa97ef3e1bedfc",
            "protocol": "tcp",
            "ports": [22],
            "from": ["203.0.113.0/24"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-ingress_1.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_2.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-01f4be99110f638a7",
            "protocol": "tcp",
            "ports": [80],
            "from": ["sg-1a2b3c4d"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      },
      "sg-1a2b3c4d": {
        "external": true,
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                        WHERE
! assumed  sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them                           authorize-security-group-ingress_2.json#/SecurityGroupRules/0
! narrower sg-1a2b3c4d          the group of account 123456789012 is not in these files: it is external and matches nothing authorize-security-group-ingress_2.json#/SecurityGroupRules/0/ReferencedGroupInfo
$ sgctl import aws authorize-security-group-ingress_3.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-00e06e5d3690f29f3",
            "protocol": "tcp",
            "ports": [3389],
            "from": ["172.31.0.0/16"]
          },
          {
            "id": "sgr-0a133dd4493944b87",
            "protocol": "tcp",
            "from": ["172.31.0.0/16"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT                                     WHAT                                                              WHERE
! assumed sg-1234567890abcdef0/sgr-0a133dd4493944b87 -1 as both ends of the ports is read as every port                authorize-security-group-ingress_3.json#/SecurityGroupRules/1/FromPort
! assumed sg-1234567890abcdef0                       only rules of the group are given: they are taken for all of them authorize-security-group-ingress_3.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_4.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-0de3811019069b787",
            "protocol": "icmp",
            "icmp": {
              "type": "destination-unreachable",
              "code": 4
            },
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-ingress_4.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_5.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-0455bc68b60805563",
            "protocol": "tcp",
            "ports": [22],
            "from": ["2001:db8:1234:1a00::/64"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-ingress_5.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_6.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-04b612d9363ab6327",
            "protocol": "icmpv6",
            "from": ["::/0"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-ingress_6.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_7.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-0397bbcc01e974db3",
            "description": "RDP access from NY office",
            "protocol": "tcp",
            "ports": [3389],
            "from": ["203.0.113.0/24"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them authorize-security-group-ingress_7.json#/SecurityGroupRules/0
$ sgctl import aws authorize-security-group-ingress_8.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-0721453c7ac4ec009": {
        "external": true
      }
    },
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-09c74b32f677c6c7c",
            "protocol": "all",
            "from": ["pl-0721453c7ac4ec009"]
          }
        ],
        "egress": [],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! assumed  sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them                         authorize-security-group-ingress_8.json#/SecurityGroupRules/0
! narrower pl-0721453c7ac4ec009 the entries of the prefix list are not in these files: it is external and matches nothing authorize-security-group-ingress_8.json#/SecurityGroupRules/0
$ sgctl import aws describe-managed-prefix-lists_1.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-0123456abcabcabc1": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "123456789012",
          "PrefixListArn": "arn:aws:ec2:us-west-2:123456789012:prefix-list/pl-0123456abcabcabc1",
          "PrefixListName": "vpc-cidrs"
        }
      },
      "pl-11223344556677aab": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv6",
          "OwnerId": "123456789012",
          "PrefixListArn": "arn:aws:ec2:us-west-2:123456789012:prefix-list/pl-11223344556677aab",
          "PrefixListName": "vpc-ipv6-cidrs"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! narrower pl-0123456abcabcabc1 the entries of the prefix list are not in these files: it is external and matches nothing describe-managed-prefix-lists_1.json#/PrefixLists/1
! narrower pl-11223344556677aab the entries of the prefix list are not in these files: it is external and matches nothing describe-managed-prefix-lists_1.json#/PrefixLists/0
$ sgctl import aws describe-network-interfaces_1.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-8637d3e3": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-a01106c2"
        }
      }
    },
    "interfaces": {
      "eni-e5aa89a3": {
        "description": "my network interface",
        "mac": "02:2f:8f:b0:cf:75",
        "addresses": ["10.0.1.17"],
        "groups": ["sg-8637d3e3"],
        "x-aws": {
          "InstanceId": "i-1234567890abcdef0",
          "OwnerId": "123456789012",
          "SubnetId": "subnet-b61f49f0",
          "VpcId": "vpc-a01106c2"
        }
      },
      "eni-f9ba99bf": {
        "description": "Primary network interface",
        "mac": "02:58:f5:ef:4b:06",
        "addresses": ["10.0.1.149"],
        "groups": ["sg-8637d3e3"],
        "x-aws": {
          "InstanceId": "i-0598c7d356eba48d7",
          "OwnerId": "123456789012",
          "SubnetId": "subnet-b61f49f0",
          "VpcId": "vpc-a01106c2"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                           WHERE
! narrower sg-8637d3e3 interfaces carry the group, its rules are not in these files: nothing may pass describe-network-interfaces_1.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws describe-prefix-lists_1.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-63a5400a": {
        "entries": ["54.231.0.0/17"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-east-1.s3"
        }
      }
    }
  }
$ sgctl import aws describe-security-group-rules_1.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [
          {
            "id": "sgr-abcdef01234567890",
            "protocol": "all",
            "from": ["sg-1234567890abcdef0"]
          }
        ],
        "egress": [
          {
            "id": "sgr-bcdef01234567890a",
            "protocol": "all",
            "to": ["::/0"]
          },
          {
            "id": "sgr-cdef01234567890ab",
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "OwnerId": "111122223333"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them describe-security-group-rules_1.json#/SecurityGroupRules/0
$ sgctl import aws describe-security-group-rules_2.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1234567890abcdef0": {
        "ingress": [],
        "egress": [
          {
            "id": "sgr-cdef01234567890ab",
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "OwnerId": "111122223333"
        }
      }
    }
  }
! EFFECT  OBJECT               WHAT                                                              WHERE
! assumed sg-1234567890abcdef0 only rules of the group are given: they are taken for all of them describe-security-group-rules_2.json#/SecurityGroupRules/0
$ sgctl import aws describe-security-groups_1.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-903004f8": {
        "description": "My security group",
        "labels": {
          "Name": "SG1"
        },
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-903004f8"]
          },
          {
            "description": "Access from NY office",
            "protocol": "tcp",
            "ports": [22],
            "from": ["203.0.113.0/24"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "MySecurityGroup",
          "OwnerId": "123456789012",
          "VpcId": "vpc-1a2b3c4d"
        }
      }
    }
  }
$ sgctl import aws describe-security-groups_2.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-1a2b3c4d": {
        "external": true,
        "x-aws": {
          "GroupName": "newgrouptest"
        }
      },
      "sg-33bb22aa": {
        "external": true,
        "x-aws": {
          "GroupName": "testfornewinstance"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                WHERE
! narrower sg-1a2b3c4d the group is not in these files: it is external and matches nothing describe-security-groups_2.json#/1
! narrower sg-33bb22aa the group is not in these files: it is external and matches nothing describe-security-groups_2.json#/0
$ sgctl import aws ec2_userguide_sgr.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-f8a6439125e7bf465": {
        "external": true
      }
    },
    "groups": {
      "sg-01dd3383691d02f42": {
        "ingress": [
          {
            "id": "sgr-06c8b42574a91db1b",
            "protocol": "all",
            "from": ["sg-01dd3383691d02f42"],
            "x-aws": {
              "SecurityGroupRuleArn": "arn:aws:ec2:us-west-2:123456789012:security-group-rule/sgr-06c8b42574a91db1b"
            }
          },
          {
            "id": "sgr-0886a5d46afcd1758",
            "protocol": "tcp",
            "ports": [22],
            "from": ["pl-f8a6439125e7bf465"],
            "x-aws": {
              "SecurityGroupRuleArn": "arn:aws:ec2:us-east-2:123456789012:security-group-rule/sgr-0886a5d46afcd1758"
            }
          }
        ],
        "egress": [
          {
            "id": "sgr-048f09a719247dce7",
            "protocol": "all",
            "to": ["0.0.0.0/0"],
            "x-aws": {
              "SecurityGroupRuleArn": "arn:aws:ec2:us-east-2:123456789012:security-group-rule/sgr-048f09a719247dce7"
            }
          }
        ],
        "x-aws": {
          "OwnerId": "123456789012"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! assumed  sg-01dd3383691d02f42 only rules of the group are given: they are taken for all of them                         ec2_userguide_sgr.json#/SecurityGroupRules/0
! narrower pl-f8a6439125e7bf465 the entries of the prefix list are not in these files: it is external and matches nothing ec2_userguide_sgr.json#/SecurityGroupRules/1
$ sgctl import aws get-managed-prefix-list-entries_1.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-get-managed-prefix-list-entries_1": {
        "entries": ["10.0.0.0/16", "10.2.0.0/16"],
        "x-aws": {
          "EntryDescriptions": {
            "10.0.0.0/16": "vpc-a",
            "10.2.0.0/16": "vpc-b"
          }
        }
      }
    }
  }
! EFFECT  OBJECT                               WHAT                                                                                                                                           WHERE
! assumed pl-get-managed-prefix-list-entries_1 the file does not say whose entries these are: they are taken for those of pl-get-managed-prefix-list-entries_1 (--entries FILE=pl-ID says it) get-managed-prefix-list-entries_1.json#/Entries
$ sgctl import aws modify-security-group-rules_1.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT  OBJECT WHAT                                                    WHERE
! assumed -      there is no group, rule, interface or prefix list in it modify-security-group-rules_1.json
