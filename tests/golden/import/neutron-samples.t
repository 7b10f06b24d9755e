# The samples of OpenStack's API reference, one by one.

$ cd "$data/../../data/neutron"
$ sgctl import neutron address-groups__address-group-add-addresses-request.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-address-groups__address-group-add-addresses-request": {
        "entries": ["10.0.2.100/32"]
      }
    }
  }
! EFFECT  OBJECT                                                 WHAT                                                                                                                                                             WHERE
! assumed pl-address-groups__address-group-add-addresses-request the file does not say whose entries these are: they are taken for those of pl-address-groups__address-group-add-addresses-request (--entries FILE=pl-ID says it) address-groups__address-group-add-addresses-request.json#/addresses
$ sgctl import neutron address-groups__address-group-add-addresses-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9ace2ef6-bd57-426a-9223-cf1751d26db9": {
        "description": "AG description",
        "entries": ["10.0.1.34/32", "10.0.2.100/32", "192.168.100.0/24"],
        "x-neutron": {
          "name": "doc-address-group",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron address-groups__address-group-create-request.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-address-group-2": {
        "description": "docs example group",
        "entries": [],
        "x-neutron": {
          "name": "address-group-2"
        }
      }
    }
  }
! EFFECT  OBJECT             WHAT                                          WHERE
! assumed pl-address-group-2 it has no id yet: it is called after its name address-groups__address-group-create-request.json#/address_group
$ sgctl import neutron address-groups__address-group-create-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9f60873a-9bb0-45c9-ac25-b1d5d668d955": {
        "description": "docs example group",
        "entries": [],
        "x-neutron": {
          "name": "address-group-2",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron address-groups__address-group-remove-addresses-request.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-address-groups__address-group-remove-addresses-request": {
        "entries": ["10.0.2.100/32"]
      }
    }
  }
! EFFECT  OBJECT                                                    WHAT                                                                                                                                                                WHERE
! assumed pl-address-groups__address-group-remove-addresses-request the file does not say whose entries these are: they are taken for those of pl-address-groups__address-group-remove-addresses-request (--entries FILE=pl-ID says it) address-groups__address-group-remove-addresses-request.json#/addresses
$ sgctl import neutron address-groups__address-group-remove-addresses-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9ace2ef6-bd57-426a-9223-cf1751d26db9": {
        "description": "AG description",
        "entries": ["10.0.1.34/32", "192.168.100.0/24"],
        "x-neutron": {
          "name": "doc-address-group",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron address-groups__address-group-show-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9ace2ef6-bd57-426a-9223-cf1751d26db9": {
        "entries": ["10.0.1.34/32", "192.168.100.0/24"],
        "x-neutron": {
          "name": "doc-address-group",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron address-groups__address-group-update-request.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                          WHERE
! left-out -      an object without id and name address-groups__address-group-update-request.json#/address_group
$ sgctl import neutron address-groups__address-group-update-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9ace2ef6-bd57-426a-9223-cf1751d26db9": {
        "description": "AG description",
        "entries": ["10.0.1.34/32", "10.0.2.100/32", "192.168.100.0/24"],
        "x-neutron": {
          "name": "doc-address-group",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron address-groups__address-groups-list-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-9ace2ef6-bd57-426a-9223-cf1751d26db9": {
        "entries": ["10.0.1.34/32", "10.0.2.100/32", "192.168.100.0/24"],
        "x-neutron": {
          "name": "doc-address-group",
          "project_id": "c9a6f447205640e89523df967c26f4d5"
        }
      }
    }
  }
$ sgctl import neutron security-group-default-rules__security-group-default-rule-create-request.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                                       WHERE
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rule-create-request.json#/default_security_group_rule
$ sgctl import neutron security-group-default-rules__security-group-default-rule-create-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                                       WHERE
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rule-create-response.json#/default_security_group_rule
$ sgctl import neutron security-group-default-rules__security-group-default-rule-show-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                                       WHERE
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rule-show-response.json#/default_security_group_rule
$ sgctl import neutron security-group-default-rules__security-group-default-rules-list-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                                       WHERE
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/0
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/1
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/2
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/3
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/4
! left-out -      a rule that new groups begin with: no group has it by this security-group-default-rules__security-group-default-rules-list-response.json#/default_security_group_rules/5
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-create-request.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-create-request.json#/security_groups_default_statefulness
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-create-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-create-response.json#/security_groups_default_statefulness
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-list-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-list-response.json#/security_groups_default_statefulness/0
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-list-response.json#/security_groups_default_statefulness/1
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-show-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-show-response.json#/security_groups_default_statefulness
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-update-request.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-update-request.json#/security_groups_default_statefulness
$ sgctl import neutron security-groups-default-statefulness__security-groups-default-statefulness-update-response.json
  {
    "version": 1,
    "network": "default"
  }
! EFFECT   OBJECT WHAT                                         WHERE
! left-out -      whether new groups of a project are stateful security-groups-default-statefulness__security-groups-default-statefulness-update-response.json#/security_groups_default_statefulness
$ sgctl import neutron security-groups__security-group-create-request.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-new-webservers": {
        "description": "security group for webservers",
        "ingress": [],
        "egress": [],
        "x-neutron": {
          "name": "new-webservers"
        }
      }
    }
  }
! EFFECT  OBJECT            WHAT                                          WHERE
! assumed sg-new-webservers it has no id yet: it is called after its name security-groups__security-group-create-request.json#/security_group
! assumed sg-new-webservers no rules are given: nothing may pass          security-groups__security-group-create-request.json#/security_group
$ sgctl import neutron security-groups__security-group-create-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-2076db17-a522-4506-91de-c6dd8e837028": {
        "description": "security group for webservers",
        "labels": {
          "tag1,tag2": ""
        },
        "ingress": [],
        "egress": [
          {
            "id": "38ce2d8e-e8f1-48bd-83c2-d33cb9f50c3d",
            "labels": {
              "tag1,tag2": ""
            },
            "protocol": "all",
            "to": ["any"],
            "x-neutron": {
              "IPv4": "38ce2d8e-e8f1-48bd-83c2-d33cb9f50c3d",
              "IPv6": "565b9502-12de-4ffd-91e9-68885cff6ae1"
            }
          }
        ],
        "x-neutron": {
          "name": "new-webservers",
          "project_id": "e4f50856753b4dc6afee5fa6b9b6c550"
        }
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                 WHERE
! left-out sg-2076db17-a522-4506-91de-c6dd8e837028 the field "revisio[n_number" (1) has no meaning here security-groups__security-group-create-response.json#/security_group/security_group_rules/0/revisio[n_number
$ sgctl import neutron security-groups__security-group-rule-bulk-create-request.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221": {
        "external": true
      }
    },
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "external": true
      },
      "sg-a7734e61-b545-452d-a3cd-0189cbd9747a": {
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": [
              "sg-85cc3048-abc3-43cc-89b3-377341426ac5",
              "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221"
            ]
          },
          {
            "protocol": "tcp",
            "ports": [443],
            "from": [
              "sg-85cc3048-abc3-43cc-89b3-377341426ac5",
              "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221"
            ]
          }
        ],
        "egress": []
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                                                      WHERE
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a a rule with several remotes is read as any of them                                        security-groups__security-group-rule-bulk-create-request.json#/security_group_rules/0
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a a rule with several remotes is read as any of them                                        security-groups__security-group-rule-bulk-create-request.json#/security_group_rules/1
! narrower sg-85cc3048-abc3-43cc-89b3-377341426ac5 the group is not in these files: it is external and matches nothing                       security-groups__security-group-rule-bulk-create-request.json#/security_group_rules/0
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a only rules of the group are given: they are taken for all of them                         security-groups__security-group-rule-bulk-create-request.json#/security_group_rules/0
! narrower pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221 the entries of the prefix list are not in these files: it is external and matches nothing security-groups__security-group-rule-bulk-create-request.json#/security_group_rules/0
$ sgctl import neutron security-groups__security-group-rule-bulk-create-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "external": true
      },
      "sg-a7734e61-b545-452d-a3cd-0189cbd9747a": {
        "ingress": [
          {
            "id": "2bc0accf-312e-429a-956e-e4407625eb62",
            "protocol": "tcp",
            "ports": [80],
            "from": ["sg-85cc3048-abc3-43cc-89b3-377341426ac5"]
          },
          {
            "id": "4d4a5704-749a-4525-958e-93844d1dd9a4",
            "protocol": "tcp",
            "ports": [443],
            "from": ["sg-85cc3048-abc3-43cc-89b3-377341426ac5"]
          }
        ],
        "egress": []
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                                WHERE
! narrower sg-85cc3048-abc3-43cc-89b3-377341426ac5 the group is not in these files: it is external and matches nothing security-groups__security-group-rule-bulk-create-response.json#/security_group_rules/0
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a only rules of the group are given: they are taken for all of them   security-groups__security-group-rule-bulk-create-response.json#/security_group_rules/0
$ sgctl import neutron security-groups__security-group-rule-create-request.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221": {
        "external": true
      }
    },
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "external": true
      },
      "sg-a7734e61-b545-452d-a3cd-0189cbd9747a": {
        "ingress": [
          {
            "protocol": "tcp",
            "ports": [80],
            "from": [
              "sg-85cc3048-abc3-43cc-89b3-377341426ac5",
              "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221"
            ]
          }
        ],
        "egress": []
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                                                      WHERE
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a a rule with several remotes is read as any of them                                        security-groups__security-group-rule-create-request.json#/security_group_rule
! narrower sg-85cc3048-abc3-43cc-89b3-377341426ac5 the group is not in these files: it is external and matches nothing                       security-groups__security-group-rule-create-request.json#/security_group_rule
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a only rules of the group are given: they are taken for all of them                         security-groups__security-group-rule-create-request.json#/security_group_rule
! narrower pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221 the entries of the prefix list are not in these files: it is external and matches nothing security-groups__security-group-rule-create-request.json#/security_group_rule
$ sgctl import neutron security-groups__security-group-rule-create-response.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221": {
        "external": true
      }
    },
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "external": true
      },
      "sg-a7734e61-b545-452d-a3cd-0189cbd9747a": {
        "ingress": [
          {
            "id": "2bc0accf-312e-429a-956e-e4407625eb62",
            "protocol": "tcp",
            "ports": [80],
            "from": [
              "sg-85cc3048-abc3-43cc-89b3-377341426ac5",
              "pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221"
            ]
          }
        ],
        "egress": []
      }
    }
  }
! EFFECT   OBJECT                                  WHAT                                                                                      WHERE
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a a rule with several remotes is read as any of them                                        security-groups__security-group-rule-create-response.json#/security_group_rule
! narrower sg-85cc3048-abc3-43cc-89b3-377341426ac5 the group is not in these files: it is external and matches nothing                       security-groups__security-group-rule-create-response.json#/security_group_rule
! assumed  sg-a7734e61-b545-452d-a3cd-0189cbd9747a only rules of the group are given: they are taken for all of them                         security-groups__security-group-rule-create-response.json#/security_group_rule
! narrower pl-a9baa1eb-0614-4d68-870e-fec6d8f8c221 the entries of the prefix list are not in these files: it is external and matches nothing security-groups__security-group-rule-create-response.json#/security_group_rule
$ sgctl import neutron security-groups__security-group-rule-show-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "ingress": [],
        "egress": [
          {
            "id": "3c0e45ff-adaf-4124-b083-bf390e5482ff",
            "protocol": "all",
            "to": ["::/0"]
          }
        ]
      }
    }
  }
! EFFECT  OBJECT                                  WHAT                                                              WHERE
! assumed sg-85cc3048-abc3-43cc-89b3-377341426ac5 only rules of the group are given: they are taken for all of them security-groups__security-group-rule-show-response.json#/security_group_rule
$ sgctl import neutron security-groups__security-group-rules-list-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "ingress": [
          {
            "id": "c0b09f00-1d49-4e64-a0a7-8a186d928138",
            "protocol": "all",
            "from": ["sg-85cc3048-abc3-43cc-89b3-377341426ac5"],
            "x-neutron": {
              "IPv4": "f7d45c89-008e-4bab-88ad-d6811724c51c",
              "IPv6": "c0b09f00-1d49-4e64-a0a7-8a186d928138"
            }
          }
        ],
        "egress": [
          {
            "id": "3c0e45ff-adaf-4124-b083-bf390e5482ff",
            "protocol": "all",
            "to": ["any"],
            "x-neutron": {
              "IPv4": "93aa42e5-80db-4581-9391-3a608bd0e448",
              "IPv6": "3c0e45ff-adaf-4124-b083-bf390e5482ff"
            }
          }
        ]
      }
    }
  }
! EFFECT  OBJECT                                  WHAT                                                              WHERE
! assumed sg-85cc3048-abc3-43cc-89b3-377341426ac5 only rules of the group are given: they are taken for all of them security-groups__security-group-rules-list-response.json#/security_group_rules/0
$ sgctl import neutron security-groups__security-group-show-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "description": "default",
        "labels": {
          "tag1,tag2": ""
        },
        "ingress": [
          {
            "id": "c0b09f00-1d49-4e64-a0a7-8a186d928138",
            "labels": {
              "tag1,tag2": ""
            },
            "protocol": "all",
            "from": ["sg-85cc3048-abc3-43cc-89b3-377341426ac5"],
            "x-neutron": {
              "IPv4": "f7d45c89-008e-4bab-88ad-d6811724c51c",
              "IPv6": "c0b09f00-1d49-4e64-a0a7-8a186d928138"
            }
          }
        ],
        "egress": [
          {
            "id": "3c0e45ff-adaf-4124-b083-bf390e5482ff",
            "labels": {
              "tag1,tag2": ""
            },
            "protocol": "all",
            "to": ["any"],
            "x-neutron": {
              "IPv4": "93aa42e5-80db-4581-9391-3a608bd0e448",
              "IPv6": "3c0e45ff-adaf-4124-b083-bf390e5482ff"
            }
          }
        ],
        "x-neutron": {
          "name": "default",
          "project_id": "e4f50856753b4dc6afee5fa6b9b6c550"
        }
      }
    }
  }
$ sgctl import neutron security-groups__security-group-update-request.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-mysecgroup": {
        "description": "my security group",
        "ingress": [],
        "egress": [],
        "x-neutron": {
          "name": "mysecgroup"
        }
      }
    }
  }
! EFFECT  OBJECT        WHAT                                          WHERE
! assumed sg-mysecgroup it has no id yet: it is called after its name security-groups__security-group-update-request.json#/security_group
! assumed sg-mysecgroup no rules are given: nothing may pass          security-groups__security-group-update-request.json#/security_group
$ sgctl import neutron security-groups__security-group-update-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-01fbade5-b664-42f6-83ae-4e214f4263fa": {
        "description": "my security group",
        "labels": {
          "tag1,tag2": ""
        },
        "ingress": [],
        "egress": [],
        "x-neutron": {
          "name": "mysecgroup",
          "project_id": "a52cdb9cc7854a39a23d3af73a40899e"
        }
      }
    }
  }
$ sgctl import neutron security-groups__security-groups-list-response.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-85cc3048-abc3-43cc-89b3-377341426ac5": {
        "description": "default",
        "labels": {
          "tag1,tag2": ""
        },
        "ingress": [
          {
            "id": "c0b09f00-1d49-4e64-a0a7-8a186d928138",
            "labels": {
              "tag1,tag2": ""
            },
            "protocol": "all",
            "from": ["sg-85cc3048-abc3-43cc-89b3-377341426ac5"],
            "x-neutron": {
              "IPv4": "f7d45c89-008e-4bab-88ad-d6811724c51c",
              "IPv6": "c0b09f00-1d49-4e64-a0a7-8a186d928138"
            }
          }
        ],
        "egress": [
          {
            "id": "3c0e45ff-adaf-4124-b083-bf390e5482ff",
            "labels": {
              "tag1,tag2": ""
            },
            "protocol": "all",
            "to": ["any"],
            "x-neutron": {
              "IPv4": "93aa42e5-80db-4581-9391-3a608bd0e448",
              "IPv6": "3c0e45ff-adaf-4124-b083-bf390e5482ff"
            }
          }
        ],
        "x-neutron": {
          "name": "default",
          "project_id": "e4f50856753b4dc6afee5fa6b9b6c550"
        }
      }
    }
  }
