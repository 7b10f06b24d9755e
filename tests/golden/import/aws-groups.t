# describe-security-groups as cloud-custodian's and cloudmapper's tests keep it.

$ cd "$data/../../data/aws"
$ sgctl import aws cc_asg_10sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-29ee3e5a": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["204.63.44.142/32"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-30f4b842": {
        "description": "launch-wizard-2 created 2017-10-26T15:16:21.145-04:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-3839ec4b": {
        "description": "launch-wizard-1 created 2017-09-14T22:02:43.877-04:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-3e9ef441": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["209.43.102.90/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["10.0.0.0/10"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-7",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-4b9ada34": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-4b9ada34"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-f1516b97"
        }
      },
      "sg-6c7fa917": {
        "description": "default VPC security group",
        "labels": {
          "Name": "",
          "c7n-test-tag": "c7n-test-val"
        },
        "ingress": [
          {
            "protocol": "all",
            "from": ["108.56.181.242/32", "sg-6c7fa917"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-837620f1": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["108.45.72.12/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-8c84eef3": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["209.43.102.90/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-6",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-9a5386e9": {
        "description": "internal",
        "labels": {
          "Name": "internal"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "from": ["sg-9a5386e9"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "internal",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-c63712b4": {
        "description": "AutoScaling-Security-Group-1 (2017-10-31 03:43:54.856-04:00)",
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
          "GroupName": "AutoScaling-Security-Group-1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
$ sgctl import aws cc_codebuild_4sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-053f54b1170d9c80e": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-053f54b1170d9c80e"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-0e2ce3db654f9651a"
        }
      },
      "sg-092723c6c101804b9": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-092723c6c101804b9"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-0a238ebd387b44e4e"
        }
      },
      "sg-0ed6c6d872d445a0d": {
        "description": "Unused",
        "ingress": [
          {
            "description": "TLS from VPC",
            "protocol": "tcp",
            "ports": [443],
            "from": ["10.0.0.0/16"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "example2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-0e2ce3db654f9651a"
        }
      },
      "sg-0f31edd750f0b3f9f": {
        "description": "In use",
        "ingress": [
          {
            "description": "TLS from VPC",
            "protocol": "tcp",
            "ports": [443],
            "from": ["10.0.0.0/16"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "example1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-0e2ce3db654f9651a"
        }
      }
    }
  }
$ sgctl import aws cc_egress_reference_2sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-065fad86f90aae701": {
        "description": "Test SG with a rule referencing another SG, which is tagged with SampleTagKey=SampleTagValue",
        "ingress": [
          {
            "protocol": "all",
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["sg-0f9585dc91c9c9655"]
          }
        ],
        "x-aws": {
          "GroupName": "egress-sg-reference",
          "OwnerId": "123456789123",
          "VpcId": "vpc-94d1d1ee"
        }
      },
      "sg-0f9585dc91c9c9655": {
        "description": "Test SG tagged with SampleTagKey=SampleTagValue",
        "labels": {
          "SampleTagKey": "SampleTagValue"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": ["60000-62000"],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "test-referenced-sg",
          "OwnerId": "123456789123",
          "VpcId": "vpc-94d1d1ee"
        }
      }
    }
  }
$ sgctl import aws cc_influx_icmp_udp_arn_1sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-6c7fa917": {
        "description": "default VPC security group",
        "labels": {
          "ASV": "ASVMCNASTY",
          "NetworkLocation": "Private",
          "Stackable": "True",
          "TestTag": "TestValue",
          "c7n-public": "Policy",
          "mcymc": ""
        },
        "ingress": [
          {
            "protocol": "tcp",
            "from": ["sg-6c7fa917"]
          },
          {
            "protocol": "all",
            "from": ["108.56.181.242/32", "67.166.173.46/32", "sg-6c7fa917"]
          },
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [8443],
            "from": [
              "207.171.167.25/32",
              "54.240.217.8/29",
              "72.21.196.64/29",
              "72.21.198.64/29",
              "54.240.217.16/29",
              "54.239.98.0/24",
              "207.171.167.101/32",
              "207.171.167.26/32",
              "72.21.217.0/24",
              "54.240.217.80/29",
              "54.240.217.64/28",
              "207.171.172.6/32"
            ]
          },
          {
            "protocol": "tcp",
            "ports": [27017],
            "from": ["172.31.16.236/32"]
          },
          {
            "protocol": "udp",
            "from": ["sg-6c7fa917"]
          },
          {
            "protocol": "icmp",
            "from": ["sg-6c7fa917"]
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
          "OwnerId": "644160558196",
          "SecurityGroupArn": "arn:aws:ec2:us-east-1:644160558196:security-group/sg-6c7fa917",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
$ sgctl import aws cc_ingress_reference_2sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-00719faf5970af89c": {
        "description": "Test SG with a rule referencing another SG, which is tagged with SampleTagKey=SampleTagValue",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0f9585dc91c9c9655"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "ingress-sg-reference",
          "OwnerId": "123456789123",
          "VpcId": "vpc-94d1d1ee"
        }
      },
      "sg-0f9585dc91c9c9655": {
        "description": "Test SG tagged with SampleTagKey=SampleTagValue",
        "labels": {
          "SampleTagKey": "SampleTagValue"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": ["60000-62000"],
            "from": ["0.0.0.0/0"]
          }
        ],
        "egress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "test-referenced-sg",
          "OwnerId": "123456789123",
          "VpcId": "vpc-94d1d1ee"
        }
      }
    }
  }
$ sgctl import aws cc_old_api_2sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-6c7fa917": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["108.56.181.242/32", "sg-6c7fa917"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-926a56e8": {
        "description": "launch-wizard-1 created 2016-10-11T08:37:50.939-04:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
$ sgctl import aws cc_only_ports_19sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0075c565291171ba8": {
        "description": "Created from the RDS Management Console: 2018/10/01 15:49:33",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-8",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-018e9e60dfc0df90f": {
        "description": "Created from the RDS Management Console: 2018/09/25 14:51:32",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-7",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-02a60363e2b087ff8": {
        "description": "cloud-custodian test SG",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [8080],
            "from": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": ["0-62000"],
            "from": ["10.2.0.0/16"]
          },
          {
            "protocol": "tcp",
            "ports": ["1234-4321"],
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
          "GroupName": "c7n-only-ports-and-cidr-test",
          "OwnerId": "123456789012",
          "VpcId": "vpc-007084954cd5c3c96"
        }
      },
      "sg-033fce6be61e68f7c": {
        "description": "Created from the RDS Management Console: 2018/09/24 15:20:43",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-4",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-0437cca8648bcc4c1": {
        "description": "Created from the RDS Management Console: 2018/09/24 15:10:07",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-1",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-0526564d2edfd2e93": {
        "description": "Created from the RDS Management Console: 2018/09/24 17:35:51",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-6",
          "OwnerId": "123456789012",
          "VpcId": "vpc-0d706a6a97fee8752"
        }
      },
      "sg-0711cf16fb39770b4": {
        "description": "Created from the RDS Management Console: 2018/10/01 16:13:39",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-12",
          "OwnerId": "123456789012",
          "VpcId": "vpc-0156cdc91695ac9dd"
        }
      },
      "sg-077d4541f4a7df7af": {
        "description": "Created from the RDS Management Console: 2018/09/24 15:15:21",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-3",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-07c171b5b19979b2c": {
        "description": "Created from the RDS Management Console: 2018/09/24 15:09:38",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-081d95b6a63fcedc3": {
        "description": "Created from the RDS Management Console: 2018/09/24 17:35:17",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-5",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-0828f69f583e2cd6b": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0828f69f583e2cd6b"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-0d706a6a97fee8752"
        }
      },
      "sg-0bd115efd42dd9782": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0bd115efd42dd9782"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-0156cdc91695ac9dd"
        }
      },
      "sg-0c459350495a9bdb5": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-0c459350495a9bdb5"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-007084954cd5c3c96"
        }
      },
      "sg-0d40e803b8b644e79": {
        "description": "Testing c7n SG perms filter issue",
        "labels": {
          "ownerEmail": "jason.antman@coxautoinc.com"
        },
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
        "egress": [],
        "x-aws": {
          "GroupName": "sg_jantmantest_1",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-0d7d0328e02aed3a3": {
        "description": "Created from the RDS Management Console: 2018/10/01 15:51:40",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-10",
          "OwnerId": "123456789012",
          "VpcId": "vpc-0156cdc91695ac9dd"
        }
      },
      "sg-0ed699502f9770695": {
        "description": "Created from the RDS Management Console: 2018/10/01 15:50:11",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-9",
          "OwnerId": "123456789012",
          "VpcId": "vpc-0d706a6a97fee8752"
        }
      },
      "sg-0fc432caea02aed11": {
        "description": "Created from the RDS Management Console: 2018/10/01 16:06:44",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-11",
          "OwnerId": "123456789012",
          "VpcId": "vpc-0156cdc91695ac9dd"
        }
      },
      "sg-0fc89f11f492259c8": {
        "description": "Created from the RDS Management Console: 2018/09/24 15:11:58",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [1521],
            "from": ["66.6.147.81/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-2",
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      },
      "sg-1952d160": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-1952d160"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-6b7e9b0c"
        }
      }
    }
  }
$ sgctl import aws cc_perm_expand_4sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-aa6c90c3": {
        "description": "default VPC security group",
        "labels": {
          "NetworkLocation": "Private"
        },
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-aa6c90c3"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-5f6c9936"
        }
      },
      "sg-e0842c89": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-e0842c89"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-c25285ab"
        }
      },
      "sg-e2842c8b": {
        "description": "inbound ref access",
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "allowed-reference",
          "OwnerId": "644160558196",
          "VpcId": "vpc-c25285ab"
        }
      },
      "sg-e3842c8a": {
        "description": "inbound access",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["10.42.1.0/24", "10.42.2.0/24", "sg-e2842c8b"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "allow-some-ingress",
          "OwnerId": "644160558196",
          "VpcId": "vpc-c25285ab"
        }
      }
    }
  }
$ sgctl import aws cc_port0_3sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-01a5844447c79ac7b": {
        "description": "test-delete-me-2",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [0],
            "from": ["172.0.0.0/32", "10.0.0.0/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "test-delete-me-2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-48c22c21"
        }
      },
      "sg-0803561527fe68575": {
        "description": "test-delete-me-1",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [0],
            "from": ["192.0.0.0/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "test-delete-me-1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-48c22c21"
        }
      },
      "sg-b516e3dc": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-b516e3dc"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-48c22c21"
        }
      }
    }
  }
$ sgctl import aws cc_self_reference_42sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0026997c": {
        "description": "launch-wizard-4 created 2017-01-27T23:55:02.403-05:00",
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
          "GroupName": "launch-wizard-4",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-0379fd7c": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["172.14.148.19/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-4",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-03873272": {
        "description": "SG 2",
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          },
          {
            "protocol": "tcp",
            "ports": [443],
            "to": ["sg-269a2f57"]
          }
        ],
        "x-aws": {
          "GroupName": "sg2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-b2c27acb"
        }
      },
      "sg-0b3d3377": {
        "description": "AutoScaling-Security-Group-1 (2017-02-25 00:13:20.344-05:00)",
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
          "GroupName": "AutoScaling-Security-Group-1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-269a2f57": {
        "description": "SG 1",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": ["sg-d89b2ea9", "sg-269a2f57"]
          },
          {
            "protocol": "tcp",
            "ports": [61000],
            "from": ["10.2.0.0/16"]
          },
          {
            "protocol": "tcp",
            "ports": ["60000-62000"],
            "from": ["10.2.0.0/16"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "sg1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-b2c27acb"
        }
      },
      "sg-2c4a6551": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG4",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-314baa4c": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["204.63.44.142/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-3d78bc42": {
        "description": "launch-wizard-9 created 2017-03-10T19:27:31.332-05:00",
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
          "GroupName": "launch-wizard-9",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-3e9ef441": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["209.43.102.90/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-7",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-411b413c": {
        "description": "SG created to test EC2 Security Group Filters",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["204.63.44.148/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "TEST-PROD-ONLY-SG",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-424a653f": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG3",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-45131239": {
        "description": "launch-wizard-5 created 2017-02-23T23:09:58.392-05:00",
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
          "GroupName": "launch-wizard-5",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-4b9ada34": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-4b9ada34"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-f1516b97"
        }
      },
      "sg-5be15a24": {
        "description": "launch-wizard-11 created 2017-03-25T10:57:13.203-04:00",
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
          "GroupName": "launch-wizard-11",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-5d4a6520": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-5fd5dd21": {
        "description": "launch-wizard-16 created 2017-06-05T16:32:02.874-04:00",
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
          "GroupName": "launch-wizard-16",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-6c269910": {
        "description": "launch-wizard-3 created 2017-01-27T23:54:38.789-05:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-6c7fa917": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["108.56.181.242/32", "sg-6c7fa917"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-704f840d": {
        "description": "Created from the RDS Management Console",
        "labels": {
          "Super": "Duper"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["199.244.214.109/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-854645f9": {
        "description": "launch-wizard-7 created 2017-02-24T05:14:07.534-05:00",
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
          "GroupName": "launch-wizard-7",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-854a65f8": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG8",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-8735b1f8": {
        "description": "launch-wizard-13 created 2017-03-26T10:54:12.841-04:00",
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
          "GroupName": "launch-wizard-13",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-8a4b64f7": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [
          {
            "protocol": "tcp",
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
          "GroupName": "Test-SG1",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-8c84eef3": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["209.43.102.90/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-6",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-926a56e8": {
        "description": "launch-wizard-1 created 2016-10-11T08:37:50.939-04:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-a14a65dc": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG7",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-b8dd6dc7": {
        "description": "launch-wizard-10 created 2017-03-23T10:53:38.739-04:00",
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
          "GroupName": "launch-wizard-10",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-bdbfb7c1": {
        "description": "launch-wizard-8 created 2017-02-25T10:52:27.439-05:00",
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
          "GroupName": "launch-wizard-8",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-bf4a65c2": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG6",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-c67c7dba": {
        "description": "testing",
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
          "GroupName": "scot-test",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-cd3d01b7": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["204.63.44.147/32"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-d037b3af": {
        "description": "launch-wizard-12 created 2017-03-26T10:49:51.089-04:00",
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
          "GroupName": "launch-wizard-12",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-d77ffba8": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["172.14.148.19/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-3",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-d89b2ea9": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-d89b2ea9"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-b2c27acb"
        }
      },
      "sg-dc1312a0": {
        "description": "launch-wizard-6 created 2017-02-23T23:10:17.875-05:00",
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
          "GroupName": "launch-wizard-6",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-deafbda2": {
        "description": "AutoScaling-Security-Group-2 (2017-02-28 00:25:48.137-05:00)",
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
          "GroupName": "AutoScaling-Security-Group-2",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-e281699e": {
        "description": "launch-wizard-2 created 2017-01-06T22:30:02.993-05:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-e6d44399": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [3306],
            "from": ["172.14.148.19/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "rds-launch-wizard-5",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-f7117688": {
        "description": "launch-wizard-15 created 2017-04-02T21:33:45.655-04:00",
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
          "GroupName": "launch-wizard-15",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-f8c78787": {
        "description": "Has a NetworkLocation:Public tag key-value pair",
        "labels": {
          "Name": "FancyTestGroupPublic",
          "NetworkLocation": "Public"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "from": ["169.254.169.254/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "FancyTestGroupPublic",
          "OwnerId": "644160558196",
          "VpcId": "vpc-f1516b97"
        }
      },
      "sg-fc46c983": {
        "description": "launch-wizard-14 created 2017-03-28T10:55:21.637-04:00",
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
          "GroupName": "launch-wizard-14",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-ff4a6582": {
        "description": "DeleteMeWhenWeAreDone",
        "labels": {
          "tagdeletekey": "tagdeletevalue"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Test-SG5",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
$ sgctl import aws cc_sg_unused_3sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-13de8f75": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-13de8f75"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-dc0452b8"
        }
      },
      "sg-f6a42890": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["108.56.194.116/32"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-4a9ff72e"
        }
      },
      "sg-f9cc4d9f": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-f9cc4d9f"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    }
  }
$ sgctl import aws cc_sg_used_7sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0a2cb503a229c31c1": {
        "description": "The instance security group",
        "labels": {
          "aws:cloudformation:logical-id": "InstanceSecurityGroup"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "InstanceSecurityGroup-1A6Y8I3R4AP02",
          "OwnerId": "644160558196",
          "VpcId": "vpc-0e03e277"
        }
      },
      "sg-13de8f75": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-13de8f75"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-dc0452b8"
        }
      },
      "sg-1c8a186c": {
        "description": "VPC Lambda Sec Group Outbound",
        "labels": {
          "aws:cloudformation:logical-id": "VPCLambdaSecGroup"
        },
        "ingress": [],
        "egress": [
          {
            "protocol": "tcp",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "VPC Lambda Sec Group",
          "OwnerId": "644160558196",
          "VpcId": "vpc-0e03e277"
        }
      },
      "sg-6bfe7312": {
        "description": "launch-wizard-1 created 2016-10-12T16:33:11.006-04:00",
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-4a9ff72e"
        }
      },
      "sg-ce548cb7": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-ce548cb7"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-47b2b823"
        }
      },
      "sg-f6a42890": {
        "description": "Created from the RDS Management Console",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["108.56.194.116/32"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-4a9ff72e"
        }
      },
      "sg-f9cc4d9f": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["71.163.79.221/32"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    }
  }
$ sgctl import aws cc_vpc_by_sg_3sg.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-45131239": {
        "description": "launch-wizard-5 created 2017-02-23T23:09:58.392-05:00",
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
          "GroupName": "launch-wizard-5",
          "OwnerId": "644160558196",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-4b9ada34": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-4b9ada34"]
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
          "OwnerId": "644160558196",
          "VpcId": "vpc-f1516b97"
        }
      },
      "sg-f8c78787": {
        "description": "Has a NetworkLocation:Public tag key-value pair",
        "labels": {
          "Name": "FancyTestGroupPublic",
          "NetworkLocation": "Public"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "from": ["169.254.169.254/32"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "FancyTestGroupPublic",
          "OwnerId": "644160558196",
          "VpcId": "vpc-f1516b97"
        }
      }
    }
  }
$ sgctl import aws cloudmapper_security_groups.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-00000001": {
        "description": "default VPC security group",
        "ingress": [
          {
            "protocol": "all",
            "from": ["sg-00000001"]
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
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000002": {
        "description": "Only allow SSH from the offices",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["1.1.1.1/32", "2.2.2.0/28"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Bastion",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000003": {
        "description": "Public web access",
        "ingress": [
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
          "GroupName": "Public web",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000004": {
        "description": "Internal web",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [8000],
            "from": ["sg-00000003", "sg-00000002"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Internal web",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000005": {
        "description": "Database",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [5432],
            "from": ["sg-00000004"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Database",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000006": {
        "description": "Endpoint access",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["sg-00000004"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Endpoint",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000007": {
        "description": "Bastion only access",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [443],
            "from": ["sg-00000002"]
          }
        ],
        "egress": [
          {
            "protocol": "all",
            "to": ["0.0.0.0/0"]
          }
        ],
        "x-aws": {
          "GroupName": "Bastion access",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      },
      "sg-00000008": {
        "description": "Public access",
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [22],
            "from": ["sg-00000002"]
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
          "GroupName": "Public",
          "OwnerId": "123456789012",
          "VpcId": "vpc-12345678"
        }
      }
    }
  }
! EFFECT OBJECT              WHAT                                         WHERE
! same   sg-00000002/ingress "2.2.2.2/28" has host bits: it is 2.2.2.0/28 cloudmapper_security_groups.json#/SecurityGroups/6/IpPermissions/0/IpRanges/1/CidrIp
