# Terraform: state files, terraform show -json of a state and of a plan, a dump of driftctl.

$ cd "$data/../../data/aws/terraform_state"
$ sgctl import terraform aws_vpc_security_group__terraform.tfstate.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0254c038e32f25530": {
        "description": "Managed by Terraform",
        "labels": {
          "Name": "Foo SG"
        },
        "ingress": [
          {
            "description": "Foo",
            "protocol": "all",
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "description": "Bar",
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "foo",
          "OwnerId": "047081014315",
          "SecurityGroupArn": "arn:aws:ec2:eu-west-3:047081014315:security-group/sg-0254c038e32f25530",
          "Terraform": "aws_security_group.test-sg",
          "VpcId": "vpc-618f6e09"
        }
      },
      "sg-9e0204ff": {
        "description": "default VPC security group",
        "labels": {
          "Name": "DEFAULT"
        },
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-9e0204ff"]
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
          "OwnerId": "047081014315",
          "SecurityGroupArn": "arn:aws:ec2:eu-west-3:047081014315:security-group/sg-9e0204ff",
          "Terraform": "aws_default_security_group.test-default-sg",
          "VpcId": "vpc-618f6e09"
        }
      }
    }
  }
$ sgctl import terraform aws_vpc_security_group_multiple__aws_security_group-sg-0254c038e32f25530.res.golden.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-23ad484a": {
        "external": true
      },
      "pl-abb451c2": {
        "external": true
      }
    },
    "groups": {
      "sg-0254c038e32f25530": {
        "description": "Managed by Terraform",
        "labels": {
          "Name": "Foo SG"
        },
        "ingress": [
          {
            "description": "Foo 1",
            "protocol": "all",
            "from": ["0.0.0.0/0"]
          },
          {
            "description": "Foo 5",
            "protocol": "all",
            "from": ["1.2.0.0/16", "5.6.7.0/24"]
          },
          {
            "protocol": "icmp",
            "icmp": {
              "type": "echo-reply",
              "code": 0
            },
            "from": ["sg-0254c038e32f25530", "sg-9e0204ff"]
          },
          {
            "description": "Baz 1",
            "protocol": "tcp",
            "ports": [0],
            "from": ["pl-23ad484a"]
          },
          {
            "description": "Baz 2",
            "protocol": "tcp",
            "ports": [0],
            "from": ["pl-abb451c2"]
          },
          {
            "description": "Foo 2",
            "protocol": "all",
            "from": ["::/0"]
          },
          {
            "description": "Foo 3",
            "protocol": "all",
            "from": ["sg-0254c038e32f25530"]
          },
          {
            "description": "Foo 4",
            "protocol": "all",
            "from": ["sg-9e0204ff"]
          },
          {
            "description": "Test 1",
            "protocol": "tcp",
            "from": ["sg-0254c038e32f25530"]
          },
          {
            "description": "Test 2",
            "protocol": "tcp",
            "from": ["sg-9e0204ff"]
          }
        ],
        "egress": [
          {
            "description": "Bar 1",
            "protocol": "all",
            "to": ["any"]
          }
        ],
        "x-aws": {
          "GroupName": "foo",
          "OwnerId": "047081014315",
          "SecurityGroupArn": "arn:aws:ec2:eu-west-3:047081014315:security-group/sg-0254c038e32f25530",
          "VpcId": "vpc-618f6e09"
        }
      },
      "sg-9e0204ff": {
        "external": true
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                                      WHERE
! narrower sg-9e0204ff the group is not in these files: it is external and matches nothing                       aws_vpc_security_group_multiple__aws_security_group-sg-0254c038e32f25530.res.golden.json#/Val/ingress/2/security_groups/0
! narrower pl-23ad484a the entries of the prefix list are not in these files: it is external and matches nothing aws_vpc_security_group_multiple__aws_security_group-sg-0254c038e32f25530.res.golden.json#/Val/ingress/3/prefix_list_ids/0
! narrower pl-abb451c2 the entries of the prefix list are not in these files: it is external and matches nothing aws_vpc_security_group_multiple__aws_security_group-sg-0254c038e32f25530.res.golden.json#/Val/ingress/4/prefix_list_ids/0
$ sgctl import terraform aws_vpc_security_group_rule__terraform.tfstate.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-abb451c2": {
        "external": true
      }
    },
    "groups": {
      "sg-0254c038e32f25530": {
        "ingress": [
          {
            "id": "sgrule-2471889226",
            "description": "Baz 2",
            "protocol": "tcp",
            "ports": [0],
            "from": ["pl-abb451c2"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.baz-ingress"
            }
          },
          {
            "id": "sgrule-294318973",
            "description": "Foo 5",
            "protocol": "all",
            "from": ["1.2.0.0/16", "5.6.7.0/24"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.foo"
            }
          },
          {
            "id": "sgrule-3602495974",
            "description": "Foo 1",
            "protocol": "all",
            "from": ["0.0.0.0/0"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.ingress"
            }
          },
          {
            "id": "sgrule-3970541193",
            "description": "Test 1",
            "protocol": "tcp",
            "from": ["sg-0254c038e32f25530"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.test-ingress-rule"
            }
          },
          {
            "id": "sgrule-1872529830",
            "protocol": "icmp",
            "icmp": {
              "type": "echo-reply",
              "code": 0
            },
            "from": ["sg-0254c038e32f25530"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.test-ingress-rule-bis"
            }
          }
        ],
        "egress": [
          {
            "id": "sgrule-929398029",
            "description": "Bar 1",
            "protocol": "all",
            "to": ["any"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.egress"
            }
          }
        ]
      },
      "sg-06910b842af0d3a8f": {
        "ingress": [],
        "egress": [
          {
            "id": "sgrule-2990167998",
            "description": "Bar Full Open",
            "protocol": "all",
            "to": ["any"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.baz-egress"
            }
          }
        ]
      },
      "sg-0cc8b3c3c2851705a": {
        "ingress": [],
        "egress": [
          {
            "id": "sgrule-845917806",
            "description": "Bar Full Open",
            "protocol": "all",
            "to": ["any"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.bar-egress"
            }
          },
          {
            "id": "sgrule-894498715",
            "description": "Stream",
            "protocol": 5,
            "to": ["0.0.0.0/0"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.bar-egress-stream"
            }
          }
        ]
      },
      "sg-0d290f68e48de546b": {
        "ingress": [
          {
            "id": "sgrule-3266388606",
            "description": "Bla 1",
            "protocol": "all",
            "from": ["::/0"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.bla-ingress"
            }
          }
        ],
        "egress": [
          {
            "id": "sgrule-752281532",
            "description": "Bar Full Open",
            "protocol": "tcp",
            "ports": [0],
            "to": ["0.0.0.0/0"],
            "x-aws": {
              "Terraform": "aws_security_group_rule.fucked-egress"
            }
          }
        ]
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! assumed  sg-0cc8b3c3c2851705a the ports 10 to 55 of protocol 5 are ignored, as AWS does                                 aws_vpc_security_group_rule__terraform.tfstate.json#/resources/10/instances/0/attributes/from_port
! assumed  sg-0254c038e32f25530 only rules of the group are given: they are taken for all of them                         aws_vpc_security_group_rule__terraform.tfstate.json#/resources/2/instances/0/attributes
! assumed  sg-06910b842af0d3a8f only rules of the group are given: they are taken for all of them                         aws_vpc_security_group_rule__terraform.tfstate.json#/resources/1/instances/0/attributes
! assumed  sg-0cc8b3c3c2851705a only rules of the group are given: they are taken for all of them                         aws_vpc_security_group_rule__terraform.tfstate.json#/resources/0/instances/0/attributes
! assumed  sg-0d290f68e48de546b only rules of the group are given: they are taken for all of them                         aws_vpc_security_group_rule__terraform.tfstate.json#/resources/3/instances/0/attributes
! narrower pl-abb451c2          the entries of the prefix list are not in these files: it is external and matches nothing aws_vpc_security_group_rule__terraform.tfstate.json#/resources/2/instances/0/attributes/prefix_list_ids/0

$ cd "$data/../../data/import"
$ sgctl import terraform terraform-state.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-0000000000000000a": {
        "entries": ["198.51.100.0/24", "203.0.113.0/24"],
        "x-aws": {
          "EntryDescriptions": {
            "198.51.100.0/24": "Berlin",
            "203.0.113.0/24": "Paris"
          },
          "OwnerId": "111122223333",
          "PrefixListArn": "arn:aws:ec2:::prefix-list/pl-0000000000000000a",
          "PrefixListName": "office"
        }
      }
    },
    "groups": {
      "sg-000000000000000b1": {
        "description": "blue",
        "labels": {
          "a": "1",
          "team": "x"
        },
        "ingress": [
          {
            "description": "https",
            "protocol": "tcp",
            "ports": [443],
            "from": ["any", "pl-0000000000000000a"]
          },
          {
            "protocol": "all",
            "from": ["sg-000000000000000b1", "sg-00000000000000fff", "sg-000000000000000b2"]
          },
          {
            "id": "sgr-00000000000000001",
            "description": "office",
            "labels": {
              "rule": "ssh"
            },
            "protocol": "tcp",
            "ports": [22],
            "from": ["192.0.2.0/24"],
            "x-aws": {
              "SecurityGroupRuleArn": "arn:aws:ec2:::security-group-rule/sgr-00000000000000001",
              "Terraform": "aws_vpc_security_group_ingress_rule.ssh[0]"
            }
          },
          {
            "id": "sgr-00000000000000002",
            "protocol": "icmp",
            "icmp": {
              "type": "echo-request"
            },
            "from": ["sg-000000000000000b2"],
            "x-aws": {
              "Terraform": "aws_vpc_security_group_ingress_rule.ssh[1]"
            }
          }
        ],
        "egress": [
          {
            "id": "sgr-00000000000000003",
            "protocol": "all",
            "to": ["0.0.0.0/0"],
            "x-aws": {
              "Terraform": "aws_vpc_security_group_egress_rule.all"
            }
          }
        ],
        "x-aws": {
          "GroupName": "web-blue",
          "OwnerId": "111122223333",
          "SecurityGroupArn": "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-000000000000000b1",
          "Terraform": "module.site.aws_security_group.web[\"blue\"]",
          "VpcId": "vpc-1"
        }
      },
      "sg-000000000000000b2": {
        "description": "green",
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "web-green",
          "Terraform": "module.site.aws_security_group.web[\"green\"]",
          "VpcId": "vpc-1"
        }
      },
      "sg-00000000000000fff": {
        "external": true,
        "x-aws": {
          "GroupName": "partner",
          "OwnerId": "444455556666",
          "VpcId": "vpc-9"
        }
      }
    },
    "interfaces": {
      "eni-00000000000000001": {
        "description": "a nic",
        "labels": {
          "Name": "nic"
        },
        "mac": "02:00:00:00:00:01",
        "addresses": ["10.0.0.5", "10.0.0.6", "2001:db8::5"],
        "groups": ["sg-000000000000000b1", "sg-000000000000000b2"],
        "spoof_guard": false,
        "x-aws": {
          "SubnetId": "subnet-1"
        }
      },
      "eni-00000000000000002": {
        "addresses": ["10.0.0.7"],
        "groups": ["sg-000000000000000b2"]
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                                        WHERE
! left-out old                   an instance without "attributes" (of a provider before Terraform 0.12)                      terraform-state.json#/resources/12/instances/0
! same     eni-00000000000000001 without source/destination check: spoof_guard is off                                        terraform-state.json#/resources/6/instances/0/attributes
! left-out aws_lb.front          aws_lb carries security groups, its addresses are not in the state                          terraform-state.json#/resources/8/instances/0/attributes
! left-out aws_network_acl.acl   a resource of type aws_network_acl is not imported                                          terraform-state.json#/resources/9/instances/0/attributes
! narrower sg-00000000000000fff  the group of account 444455556666 is not in these files: it is external and matches nothing terraform-state.json#/resources/0/instances/0/attributes/ingress/1/security_groups/0
$ sgctl import terraform terraform-show.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-000000000000000a1": {
        "description": "default VPC security group",
        "ingress": [],
        "egress": [
          {
            "id": "sgrule-1",
            "protocol": "tcp",
            "ports": [5432],
            "to": ["sg-000000000000000d1"],
            "x-aws": {
              "Terraform": "module.app.module.rules[0].aws_security_group_rule.out[\"db\"]"
            }
          }
        ],
        "x-aws": {
          "GroupName": "default",
          "Terraform": "module.app.aws_default_security_group.this",
          "VpcId": "vpc-1"
        }
      },
      "sg-000000000000000d1": {
        "description": "databases",
        "ingress": [
          {
            "description": "from the application",
            "protocol": "tcp",
            "ports": [5432],
            "from": ["sg-000000000000000a1"]
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "db",
          "Terraform": "aws_security_group.db",
          "VpcId": "vpc-1"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                            WHERE
! left-out sg-000000000000000a1 a rule whose type is neither ingress nor egress terraform-show.json#/values/root_module/child_modules/0/child_modules/0/resources/1/values
$ sgctl import terraform terraform-plan.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-aws_security_group.web-0-": {
        "description": "planned",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [8080],
            "from": ["sg-aws_security_group.web-1-"],
            "x-aws": {
              "Terraform": "aws_vpc_security_group_ingress_rule.peer"
            }
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "web-0",
          "Terraform": "aws_security_group.web[0]",
          "VpcId": "vpc-1"
        }
      },
      "sg-aws_security_group.web-1-": {
        "description": "planned",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["0.0.0.0/0"],
            "x-aws": {
              "Terraform": "aws_vpc_security_group_ingress_rule.https[1]"
            }
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "web-1",
          "Terraform": "aws_security_group.web[1]",
          "VpcId": "vpc-1"
        }
      },
      "sg-module.a--x--.aws_security_group.in": {
        "ingress": [
          {
            "protocol": "udp",
            "ports": [53],
            "from": ["10.0.0.0/8"],
            "x-aws": {
              "Terraform": "module.a[\"x\"].aws_security_group_rule.r"
            }
          }
        ],
        "egress": [],
        "x-aws": {
          "GroupName": "in",
          "Terraform": "module.a[\"x\"].aws_security_group.in",
          "VpcId": "vpc-1"
        }
      }
    }
  }
! EFFECT   OBJECT                                      WHAT                                                                                                     WHERE
! same     sg-aws_security_group.web-0-                "aws_security_group.web[0]" is no id here: it is called sg-aws_security_group.web-0-                     terraform-plan.json#/planned_values/root_module/resources/0/values
! same     sg-aws_security_group.web-1-                "aws_security_group.web[1]" is no id here: it is called sg-aws_security_group.web-1-                     terraform-plan.json#/planned_values/root_module/resources/1/values
! left-out aws_vpc_security_group_ingress_rule.unknown a rule whose security_group_id is not known                                                              terraform-plan.json#/planned_values/root_module/resources/4/values
! same     sg-module.a--x--.aws_security_group.in      "module.a["x"].aws_security_group.in" is no id here: it is called sg-module.a--x--.aws_security_group.in terraform-plan.json#/planned_values/root_module/child_modules/0/resources/0/values
$ sgctl import terraform terraform-version-3.json
! terraform-version-3.json: /version: a state file of version 3; version 4 (Terraform 0.12 and newer) is read; terraform show -json
= 1

# import aws knows them too: they hold groups of AWS.
$ sgctl import terraform terraform-show.json 2>/dev/null | cksum
  1675931447 1025
$ sgctl import aws terraform-show.json 2>/dev/null | cksum
  1675931447 1025
