# Network interfaces and instances whose groups are in other files.

$ cd "$data/../../data/aws"
$ sgctl import aws cc_eni_detach.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-04d3c4c8056dd0dfa": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "launch-wizard-5",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "sg-08d3f62092b3ec2dd": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "sg-0ad159022dbc679a4": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "launch-wizard-7",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      }
    },
    "interfaces": {
      "eni-05519354831c3350f": {
        "mac": "12:99:bf:71:84:e9",
        "addresses": ["10.146.96.7"],
        "groups": ["sg-04d3c4c8056dd0dfa"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0605e38e04785b878": {
        "mac": "12:51:7c:b6:48:c3",
        "addresses": ["10.146.96.42"],
        "groups": ["sg-0ad159022dbc679a4"],
        "x-aws": {
          "InstanceId": "i-05fccf7da99ad47f7",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0897a33a30b9945ed",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-099fba10036bb0b1b": {
        "description": "VPC Endpoint Interface vpce-0ae25b74ddcffae7b",
        "mac": "0a:72:96:59:e8:ef",
        "addresses": ["10.146.96.21"],
        "groups": ["sg-08d3f62092b3ec2dd"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-028fbebec8e1d710f",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0b182d4a32125e042": {
        "mac": "12:14:b1:31:e7:63",
        "addresses": ["10.146.96.44"],
        "groups": ["sg-0ad159022dbc679a4"],
        "x-aws": {
          "InstanceId": "i-05fccf7da99ad47f7",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0897a33a30b9945ed",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0e93969551de7d7ba": {
        "description": "VPC Endpoint Interface vpce-0ae25b74ddcffae7b",
        "mac": "12:6e:3b:93:01:0b",
        "addresses": ["10.146.96.8"],
        "groups": ["sg-08d3f62092b3ec2dd"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0fa98ff0898b9deda": {
        "mac": "12:e9:20:5c:1f:a9",
        "addresses": ["10.146.96.10"],
        "groups": ["sg-04d3c4c8056dd0dfa"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                              WHERE
! left-out eni-06aa3cd5d306432d7 the interface (transit_gateway) carries no security group: AWS does not filter it cc_eni_detach.json#/NetworkInterfaces/2
! left-out eni-0a97f5badf0f2b1db the interface (nat_gateway) carries no security group: AWS does not filter it     cc_eni_detach.json#/NetworkInterfaces/6
! left-out eni-093527bfac74a413e the interface (transit_gateway) carries no security group: AWS does not filter it cc_eni_detach.json#/NetworkInterfaces/8
! left-out eni-0449d9bc9a2d3536c the interface (nat_gateway) carries no security group: AWS does not filter it     cc_eni_detach.json#/NetworkInterfaces/9
! narrower sg-04d3c4c8056dd0dfa  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach.json#/NetworkInterfaces/1/Groups/0
! narrower sg-08d3f62092b3ec2dd  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach.json#/NetworkInterfaces/5/Groups/0
! narrower sg-0ad159022dbc679a4  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws cc_eni_detach_primary2.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-04d3c4c8056dd0dfa": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "launch-wizard-5",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "sg-08d3f62092b3ec2dd": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "sg-0ad159022dbc679a4": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "launch-wizard-7",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      }
    },
    "interfaces": {
      "eni-007ebb46d3795b43b": {
        "mac": "12:65:45:fa:dd:8d",
        "addresses": ["10.146.96.9"],
        "groups": ["sg-0ad159022dbc679a4"],
        "x-aws": {
          "InstanceId": "i-042c20d5454745bbe",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-05519354831c3350f": {
        "mac": "12:99:bf:71:84:e9",
        "addresses": ["10.146.96.7"],
        "groups": ["sg-04d3c4c8056dd0dfa"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0605e38e04785b878": {
        "mac": "12:51:7c:b6:48:c3",
        "addresses": ["10.146.96.42"],
        "groups": ["sg-0ad159022dbc679a4"],
        "x-aws": {
          "InstanceId": "i-0feb6dd62cea504f5",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0897a33a30b9945ed",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-099fba10036bb0b1b": {
        "description": "VPC Endpoint Interface vpce-0ae25b74ddcffae7b",
        "mac": "0a:72:96:59:e8:ef",
        "addresses": ["10.146.96.21"],
        "groups": ["sg-08d3f62092b3ec2dd"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-028fbebec8e1d710f",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0bac220f35c9a304e": {
        "mac": "12:50:d3:f0:42:83",
        "addresses": ["10.146.96.6"],
        "groups": ["sg-0ad159022dbc679a4"],
        "x-aws": {
          "InstanceId": "i-0feb6dd62cea504f5",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0e93969551de7d7ba": {
        "description": "VPC Endpoint Interface vpce-0ae25b74ddcffae7b",
        "mac": "12:6e:3b:93:01:0b",
        "addresses": ["10.146.96.8"],
        "groups": ["sg-08d3f62092b3ec2dd"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      },
      "eni-0fa98ff0898b9deda": {
        "mac": "12:e9:20:5c:1f:a9",
        "addresses": ["10.146.96.10"],
        "groups": ["sg-04d3c4c8056dd0dfa"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0e307f2214f524f96",
          "VpcId": "vpc-08bbc74c36b8a08dd"
        }
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                              WHERE
! left-out eni-0449d9bc9a2d3536c the interface (nat_gateway) carries no security group: AWS does not filter it     cc_eni_detach_primary2.json#/NetworkInterfaces/0
! left-out eni-093527bfac74a413e the interface (transit_gateway) carries no security group: AWS does not filter it cc_eni_detach_primary2.json#/NetworkInterfaces/1
! left-out eni-0a97f5badf0f2b1db the interface (nat_gateway) carries no security group: AWS does not filter it     cc_eni_detach_primary2.json#/NetworkInterfaces/3
! left-out eni-06aa3cd5d306432d7 the interface (transit_gateway) carries no security group: AWS does not filter it cc_eni_detach_primary2.json#/NetworkInterfaces/7
! narrower sg-04d3c4c8056dd0dfa  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach_primary2.json#/NetworkInterfaces/5/Groups/0
! narrower sg-08d3f62092b3ec2dd  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach_primary2.json#/NetworkInterfaces/2/Groups/0
! narrower sg-0ad159022dbc679a4  interfaces carry the group, its rules are not in these files: nothing may pass    cc_eni_detach_primary2.json#/NetworkInterfaces/4/Groups/0
$ sgctl import aws cc_eni_location_mismatch.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-045f7d0c2467c3bfb": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "EC2ContainerService-c7n-test-cluster-EcsSecurityGroup-GEHYCBY16V7V",
          "VpcId": "vpc-0503a8b9ddbb3a5c5"
        }
      },
      "sg-0616b55f1f99947fd": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "AutoScaling-Security-Group-2",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-065a2edad041c289c": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "airflow-security-group-timmy-airflow-FeGrLJ",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-08398fd5994d8971d": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "isolate-sg",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-08f62b8c3dd4669bc": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "d-90677cc91c_controllers",
          "VpcId": "vpc-0598080981e0332f9"
        }
      },
      "sg-093f8a75c1ecc3fd1": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "c7n-test-eks-sg",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "sg-0c4399ec62930489d": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "web-tier",
          "VpcId": "vpc-048e9feb92da4c9b8"
        }
      },
      "sg-0d80e0003f8f542cb": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "web-tier",
          "VpcId": "vpc-018526ec33a656e11"
        }
      },
      "sg-6c7fa917": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-d2d616b5"
        }
      }
    },
    "interfaces": {
      "eni-00b077bac4859016f": {
        "description": "AWS created network interface for directory d-90677cc91c",
        "mac": "0a:86:01:eb:ca:21",
        "addresses": ["172.16.1.157"],
        "groups": ["sg-08f62b8c3dd4669bc"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-083ab4dd1a8b6eaa6",
          "VpcId": "vpc-0598080981e0332f9"
        }
      },
      "eni-0693b0567e9fb7401": {
        "labels": {
          "Location": "web"
        },
        "mac": "02:96:bf:89:52:4d",
        "addresses": ["10.4.9.43"],
        "groups": ["sg-0c4399ec62930489d"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-053958a3c86605366",
          "VpcId": "vpc-048e9feb92da4c9b8"
        }
      },
      "eni-06a7f784c86ba0f34": {
        "description": "EFS mount target for fs-028d2a86fa813320a (fsmt-07e238762319765b9)",
        "mac": "0a:ab:98:d8:6f:31",
        "addresses": ["172.31.7.53"],
        "groups": ["sg-6c7fa917", "sg-093f8a75c1ecc3fd1"],
        "x-aws": {
          "InterfaceType": "efs",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-914763e7",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "eni-07bd77049a9923a64": {
        "description": "AWS Lambda VPC ENI-test-python-8c7ac78b-e11d-4dea-8a47-ab2bdeba9bf5",
        "mac": "0a:cb:c7:81:f8:ff",
        "addresses": ["172.31.9.28"],
        "groups": ["sg-065a2edad041c289c"],
        "x-aws": {
          "InterfaceType": "lambda",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-914763e7",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "eni-0a303493893652ca1": {
        "description": "arn:aws:ecs:us-east-1:644160558196:attachment/c8773f8d-1317-457a-ba3c-b57775ac6a04",
        "mac": "0e:46:2e:26:86:81",
        "addresses": ["10.0.1.232"],
        "groups": ["sg-045f7d0c2467c3bfb"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0797208b821c08196",
          "VpcId": "vpc-0503a8b9ddbb3a5c5"
        }
      },
      "eni-0c792af2cbe036fff": {
        "description": "AWS created network interface for directory d-90677cc91c",
        "mac": "0e:a2:8c:be:cd:9b",
        "addresses": ["172.16.0.18"],
        "groups": ["sg-08f62b8c3dd4669bc"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0544e30702e2e1ad4",
          "VpcId": "vpc-0598080981e0332f9"
        }
      },
      "eni-0d7371899c021c60f": {
        "description": "RDSNetworkInterface",
        "mac": "0a:ec:04:f0:cd:39",
        "addresses": ["172.31.8.114"],
        "groups": ["sg-08398fd5994d8971d", "sg-065a2edad041c289c"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-914763e7",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "eni-0dee39bee4f125270": {
        "labels": {
          "Location": "invalid"
        },
        "mac": "12:5f:f8:4a:f0:29",
        "addresses": ["10.4.9.33"],
        "groups": ["sg-0d80e0003f8f542cb"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-051df4736593176cf",
          "VpcId": "vpc-018526ec33a656e11"
        }
      },
      "eni-0f028fdc238330d73": {
        "description": "EFS mount target for fs-017557a9f00b1bec9 (fsmt-0fcbb40c868d404e8)",
        "mac": "0e:98:ac:95:92:57",
        "addresses": ["172.31.29.132"],
        "groups": ["sg-0616b55f1f99947fd"],
        "x-aws": {
          "InterfaceType": "efs",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-efbcccb7",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "eni-0fdd63701abdf11c2": {
        "description": "EFS mount target for fs-017557a9f00b1bec9 (fsmt-0fca46e06dcfff8e2)",
        "mac": "0a:c3:42:d4:7a:13",
        "addresses": ["172.31.14.29"],
        "groups": ["sg-6c7fa917"],
        "x-aws": {
          "InterfaceType": "efs",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-914763e7",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                           WHERE
! left-out eni-0d7371899c021c60f DenyAllIgwTraffic: there is no internet gateway here                           cc_eni_location_mismatch.json#/NetworkInterfaces/5
! narrower sg-045f7d0c2467c3bfb  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/2/Groups/0
! narrower sg-0616b55f1f99947fd  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/3/Groups/0
! narrower sg-065a2edad041c289c  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/5/Groups/1
! narrower sg-08398fd5994d8971d  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/5/Groups/0
! narrower sg-08f62b8c3dd4669bc  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/4/Groups/0
! narrower sg-093f8a75c1ecc3fd1  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/6/Groups/1
! narrower sg-0c4399ec62930489d  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/0/Groups/0
! narrower sg-0d80e0003f8f542cb  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/1/Groups/0
! narrower sg-6c7fa917           interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_location_mismatch.json#/NetworkInterfaces/6/Groups/0
$ sgctl import aws cc_eni_private_subnet.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-031f71960759a8d50": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "oip-vpc-endpoint-sg",
          "VpcId": "vpc-003377c0084c5bcd5"
        }
      }
    },
    "interfaces": {
      "eni-054de8d628e757d05": {
        "description": "VPC Endpoint Interface vpce-0dfaa364d994a6a2f",
        "mac": "06:eb:64:3f:f4:27",
        "addresses": ["10.0.2.196"],
        "groups": ["sg-031f71960759a8d50"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-0616e6e6a767403e1",
          "VpcId": "vpc-003377c0084c5bcd5"
        }
      },
      "eni-0f14f3abcf2d8086c": {
        "description": "VPC Endpoint Interface vpce-0dfaa364d994a6a2f",
        "mac": "02:1f:11:b5:c5:6d",
        "addresses": ["10.0.3.64"],
        "groups": ["sg-031f71960759a8d50"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-084d19d6ad68535e0",
          "VpcId": "vpc-003377c0084c5bcd5"
        }
      }
    }
  }
! EFFECT   OBJECT                WHAT                                                                           WHERE
! left-out eni-02f9c1d34f40af967 the interface (nat_gateway) carries no security group: AWS does not filter it  cc_eni_private_subnet.json#/NetworkInterfaces/1
! narrower sg-031f71960759a8d50  interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_private_subnet.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws cc_eni_vpc_filter.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-007e9ef58b28a8050": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "launch-wizard-1",
          "VpcId": "vpc-d2d616b5"
        }
      }
    },
    "interfaces": {
      "eni-0e1324ba169ed7b2f": {
        "mac": "12:a4:94:5c:6c:a4",
        "addresses": ["172.31.50.32"],
        "groups": ["sg-007e9ef58b28a8050"],
        "x-aws": {
          "InstanceId": "i-0f94b4d7343149de3",
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-3a334610",
          "VpcId": "vpc-d2d616b5"
        }
      },
      "eni-0e78f79b7b27d86ec": {
        "description": "test",
        "mac": "12:94:60:b9:73:0e",
        "addresses": ["172.31.61.29"],
        "groups": ["sg-007e9ef58b28a8050"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-3a334610",
          "VpcId": "vpc-d2d616b5"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                           WHERE
! narrower sg-007e9ef58b28a8050 interfaces carry the group, its rules are not in these files: nothing may pass cc_eni_vpc_filter.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws cc_sg_unused_eni.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-f9cc4d9f": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    },
    "interfaces": {
      "eni-042ea05b": {
        "description": "ELB test-load-balancer",
        "mac": "0a:0e:49:d9:55:0d",
        "addresses": ["172.31.1.181"],
        "groups": ["sg-f9cc4d9f"],
        "x-aws": {
          "OwnerId": "644160558196",
          "SubnetId": "subnet-5fb47507",
          "VpcId": "vpc-4a9ff72e"
        }
      },
      "eni-794e5a04": {
        "description": "RDSNetworkInterface",
        "mac": "02:7f:f1:7a:69:89",
        "addresses": ["172.31.23.100"],
        "groups": ["sg-f9cc4d9f"],
        "x-aws": {
          "OwnerId": "644160558196",
          "SubnetId": "subnet-15452171",
          "VpcId": "vpc-4a9ff72e"
        }
      },
      "eni-c57041b8": {
        "description": "RDSNetworkInterface",
        "mac": "02:8c:7e:01:d3:ed",
        "addresses": ["172.31.24.254"],
        "groups": ["sg-f9cc4d9f"],
        "x-aws": {
          "OwnerId": "644160558196",
          "SubnetId": "subnet-15452171",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                           WHERE
! narrower sg-f9cc4d9f interfaces carry the group, its rules are not in these files: nothing may pass cc_sg_unused_eni.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws cc_sg_used_eni.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-0a2cb503a229c31c1": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "InstanceSecurityGroup-1A6Y8I3R4AP02",
          "VpcId": "vpc-0e03e277"
        }
      },
      "sg-1c8a186c": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "VPC Lambda Sec Group",
          "VpcId": "vpc-0e03e277"
        }
      },
      "sg-f9cc4d9f": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "default",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    },
    "interfaces": {
      "eni-04b74850b90891a7c": {
        "description": "VPC Endpoint Interface vpce-0929ee4b892d1ad5d",
        "mac": "0a:29:89:47:c9:2c",
        "addresses": ["10.81.74.164"],
        "groups": ["sg-f9cc4d9f", "sg-0a2cb503a229c31c1"],
        "x-aws": {
          "InterfaceType": "vpc_endpoint",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-193bdf43",
          "VpcId": "vpc-0e03e277"
        }
      },
      "eni-05f8e0f783bfe84f0": {
        "description": "aws-k8s-branch-eni",
        "labels": {
          "eks:eni:owner": "eks-vpc-resource-controller",
          "vpcresources.k8s.aws/trunk-eni-id": "eni-0e769e3bf64c37e57",
          "vpcresources.k8s.aws/vlan-id": "1"
        },
        "mac": "0a:e1:96:2a:14:03",
        "addresses": ["100.71.36.229"],
        "groups": ["sg-f9cc4d9f", "sg-0a2cb503a229c31c1"],
        "x-aws": {
          "InterfaceType": "branch",
          "OwnerId": "01234567890",
          "SubnetId": "subnet-193bdf43",
          "VpcId": "vpc-0e03e277"
        }
      },
      "eni-0c779745aaa5e430d": {
        "description": "AWS Lambda VPC ENI: 26578289-8b35-4f36-a046-ceda51a45800",
        "mac": "02:d3:b3:31:71:46",
        "addresses": ["10.81.74.32"],
        "groups": ["sg-1c8a186c"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-9fa08df9",
          "VpcId": "vpc-0e03e277"
        }
      },
      "eni-caa070b4": {
        "mac": "02:75:ee:9d:a1:49",
        "addresses": ["172.31.26.53"],
        "groups": ["sg-f9cc4d9f"],
        "x-aws": {
          "InstanceId": "i-017cf4e2a33b853fe",
          "OwnerId": "644160558196",
          "SubnetId": "subnet-15452171",
          "VpcId": "vpc-4a9ff72e"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                           WHERE
! narrower sg-0a2cb503a229c31c1 interfaces carry the group, its rules are not in these files: nothing may pass cc_sg_used_eni.json#/NetworkInterfaces/2/Groups/1
! narrower sg-1c8a186c          interfaces carry the group, its rules are not in these files: nothing may pass cc_sg_used_eni.json#/NetworkInterfaces/1/Groups/0
! narrower sg-f9cc4d9f          interfaces carry the group, its rules are not in these files: nothing may pass cc_sg_used_eni.json#/NetworkInterfaces/0/Groups/0
$ sgctl import aws cloudmapper_instances.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-00000002": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "Bastion",
          "VpcId": "vpc-12345678"
        }
      }
    },
    "interfaces": {
      "eni-00000000": {
        "description": "Primary network interface",
        "labels": {
          "Name": "Bastion"
        },
        "mac": "0e:d7:00:00:00:00",
        "addresses": ["10.0.0.1"],
        "groups": ["sg-00000002"],
        "x-aws": {
          "InstanceId": "i-00000000000000002",
          "OwnerId": "123456789012",
          "SubnetId": "subnet-00000001",
          "VpcId": "vpc-12345678"
        }
      }
    }
  }
! EFFECT   OBJECT       WHAT                                                                           WHERE
! left-out eni-00000000 the interface is described before, in another way: that description holds      cloudmapper_instances.json#/Reservations/0/Instances/1/NetworkInterfaces/0
! left-out eni-00000000 the interface is described before, in another way: that description holds      cloudmapper_instances.json#/Reservations/0/Instances/2/NetworkInterfaces/0
! narrower sg-00000002  interfaces carry the group, its rules are not in these files: nothing may pass cloudmapper_instances.json#/Reservations/0/Instances/0/NetworkInterfaces/0/Groups/0
$ sgctl import aws cloudmapper_network_interfaces.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-00000008": {
        "ingress": [],
        "egress": [],
        "x-aws": {
          "GroupName": "Public",
          "VpcId": "vpc-12345678"
        }
      }
    },
    "interfaces": {
      "eni-00000001": {
        "description": "arn:aws:ecs:us-east-1:653711331788:attachment/ed8fed01-82d0-4bf6-86cf-fe3115c23ab8",
        "mac": "16:2f:d0:d6:ed:28",
        "addresses": ["172.31.48.168"],
        "groups": ["sg-00000008"],
        "x-aws": {
          "InterfaceType": "interface",
          "OwnerId": "653711331788",
          "SubnetId": "subnet-00000001",
          "VpcId": "vpc-12345678"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                           WHERE
! narrower sg-00000008 interfaces carry the group, its rules are not in these files: nothing may pass cloudmapper_network_interfaces.json#/NetworkInterfaces/0/Groups/0
