# Prefix lists, their entries, references, AWS Config.

$ cd "$data/../../data/aws"
$ sgctl import aws cc_awsconfig_ingres_diff.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-65229a0c": {
        "description": "Test",
        "labels": {
          "Name": "Test"
        },
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [0],
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
          "GroupName": "Test",
          "OwnerId": "644160558196",
          "VpcId": "vpc-5f6c9936"
        }
      },
      "sg-aa6c90c3": {
        "external": true,
        "x-aws": {
          "OwnerId": "644160558196"
        }
      }
    }
  }
! EFFECT   OBJECT      WHAT                                                                                        WHERE
! left-out -           the listing goes on: this file is not all of it                                             cc_awsconfig_ingres_diff.json#/nextToken
! narrower sg-aa6c90c3 the group of account 644160558196 is not in these files: it is external and matches nothing cc_awsconfig_ingres_diff.json#/configurationItems/0/configuration/ipPermissions/0/userIdGroupPairs/0
$ sgctl import aws cc_describe_prefix_lists_s3.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-63a5400a": {
        "entries": ["52.216.0.0/15", "54.231.0.0/17"],
        "x-aws": {
          "PrefixListName": "com.amazonaws.us-east-1.s3"
        }
      }
    }
  }
$ sgctl import aws cc_managed_prefix_lists_a.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-02cd2c6b": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "AWS",
          "PrefixListArn": "arn:aws:ec2:us-east-1:aws:prefix-list/pl-02cd2c6b",
          "PrefixListName": "com.amazonaws.us-east-1.dynamodb"
        }
      },
      "pl-02d12d37020480a5f": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "644160558196",
          "PrefixListArn": "arn:aws:ec2:us-east-1:644160558196:prefix-list/pl-02d12d37020480a5f",
          "PrefixListName": "All VPC CIDR"
        }
      },
      "pl-0c79279cd77a6e7c2": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "644160558196",
          "PrefixListArn": "arn:aws:ec2:us-east-1:644160558196:prefix-list/pl-0c79279cd77a6e7c2",
          "PrefixListName": "All VPC CIDR"
        }
      },
      "pl-63a5400a": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "AWS",
          "PrefixListArn": "arn:aws:ec2:us-east-1:aws:prefix-list/pl-63a5400a",
          "PrefixListName": "com.amazonaws.us-east-1.s3"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! narrower pl-02cd2c6b          the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_a.json#/PrefixLists/2
! narrower pl-02d12d37020480a5f the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_a.json#/PrefixLists/0
! narrower pl-0c79279cd77a6e7c2 the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_a.json#/PrefixLists/1
! narrower pl-63a5400a          the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_a.json#/PrefixLists/3
$ sgctl import aws cc_managed_prefix_lists_b.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-02d12d37020480a5f": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "644160558196",
          "PrefixListArn": "arn:aws:ec2:us-east-1:644160558196:prefix-list/pl-02d12d37020480a5f",
          "PrefixListName": "All VPC CIDR"
        }
      },
      "pl-0c79279cd77a6e7c2": {
        "external": true,
        "x-aws": {
          "AddressFamily": "IPv4",
          "OwnerId": "644160558196",
          "PrefixListArn": "arn:aws:ec2:us-east-1:644160558196:prefix-list/pl-0c79279cd77a6e7c2",
          "PrefixListName": "All VPC CIDR"
        }
      }
    }
  }
! EFFECT   OBJECT               WHAT                                                                                      WHERE
! narrower pl-02d12d37020480a5f the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_b.json#/PrefixLists/0
! narrower pl-0c79279cd77a6e7c2 the entries of the prefix list are not in these files: it is external and matches nothing cc_managed_prefix_lists_b.json#/PrefixLists/1
$ sgctl import aws cc_prefix_list_entries_1.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-cc_prefix_list_entries_1": {
        "entries": ["172.31.0.0/16"]
      }
    }
  }
! EFFECT  OBJECT                      WHAT                                                                                                                                  WHERE
! assumed pl-cc_prefix_list_entries_1 the file does not say whose entries these are: they are taken for those of pl-cc_prefix_list_entries_1 (--entries FILE=pl-ID says it) cc_prefix_list_entries_1.json#/Entries
$ sgctl import aws cc_sg_references.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT  OBJECT WHAT                                                    WHERE
! assumed -      there is no group, rule, interface or prefix list in it cc_sg_references.json
