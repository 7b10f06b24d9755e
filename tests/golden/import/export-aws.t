# Policies in the words of AWS; what AWS cannot say is reported.

$ sgctl export aws $examples/web-server.json
  {
    "SecurityGroups": [
      {
        "Description": "public web servers",
        "GroupName": "sg-web",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "visitors"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "visitors"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "answers with a redirect to https"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "answers with a redirect to https"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [
              {
                "CidrIp": "203.0.113.0/24",
                "Description": "office"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "2001:db8:0:1::/64",
                "Description": "office, IPv6"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "icmp",
            "FromPort": 8,
            "ToPort": -1,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "monitoring from everywhere"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "monitoring from everywhere"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": -1,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "monitoring from everywhere"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "monitoring from everywhere"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-web",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "package updates"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "package updates"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "package updates"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "package updates"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 53,
            "ToPort": 53,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "name resolution"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "name resolution"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "udp",
            "FromPort": 53,
            "ToPort": 53,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "name resolution"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "name resolution"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "udp",
            "FromPort": 123,
            "ToPort": 123,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "the time"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "the time"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "web-1",
        "Description": "the web server",
        "MacAddress": "52:54:00:00:00:01",
        "PrivateIpAddress": "10.0.0.5",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.0.0.5"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd00::5"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-web",
            "GroupId": "sg-web"
          }
        ],
        "SourceDestCheck": true
      }
    ]
  }
! EFFECT   OBJECT         WHAT                                         WHERE
! left-out sg-web/https   the id of the rule: AWS gives ids of its own -
! left-out sg-web/http    the id of the rule: AWS gives ids of its own -
! left-out sg-web/ssh     the id of the rule: AWS gives ids of its own -
! left-out sg-web/ping    the id of the rule: AWS gives ids of its own -
! left-out sg-web/updates the id of the rule: AWS gives ids of its own -
! left-out sg-web/dns     the id of the rule: AWS gives ids of its own -
! left-out sg-web/ntp     the id of the rule: AWS gives ids of its own -
$ sgctl export aws $examples/three-tier.json
  {
    "SecurityGroups": [
      {
        "Description": "application tier: asked by the web tier only",
        "GroupName": "sg-app",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 8080,
            "ToPort": 8080,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-web",
                "Description": "the application"
              }
            ]
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "administration"
              }
            ]
          },
          {
            "IpProtocol": "icmp",
            "FromPort": 8,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          }
        ],
        "GroupId": "sg-app",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      },
      {
        "Description": "the way in for administrators",
        "GroupName": "sg-bastion",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-office",
                "Description": "administrators at the office"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "icmp",
            "FromPort": 8,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "other bastions"
              }
            ]
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "other bastions"
              }
            ]
          }
        ],
        "GroupId": "sg-bastion",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      },
      {
        "Description": "database tier: answers, and never opens a connection itself",
        "GroupName": "sg-db",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-app",
                "Description": "queries"
              }
            ]
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "administration"
              }
            ]
          },
          {
            "IpProtocol": "icmp",
            "FromPort": 8,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          }
        ],
        "GroupId": "sg-db",
        "IpPermissionsEgress": []
      },
      {
        "Description": "web tier: the only one that the internet reaches",
        "GroupName": "sg-web",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "visitors"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "visitors"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "visitors without https"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "visitors without https"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "administration"
              }
            ]
          },
          {
            "IpProtocol": "icmp",
            "FromPort": 8,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-bastion",
                "Description": "is it there?"
              }
            ]
          }
        ],
        "GroupId": "sg-web",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "app-1",
        "Description": "application server",
        "MacAddress": "52:54:00:77:00:12",
        "PrivateIpAddress": "10.77.0.12",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.77.0.12"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd77::12"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-app",
            "GroupId": "sg-app"
          }
        ],
        "SourceDestCheck": true
      },
      {
        "NetworkInterfaceId": "bastion-1",
        "Description": "bastion",
        "MacAddress": "52:54:00:77:00:14",
        "PrivateIpAddress": "10.77.0.14",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.77.0.14"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd77::14"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-bastion",
            "GroupId": "sg-bastion"
          }
        ],
        "SourceDestCheck": true
      },
      {
        "NetworkInterfaceId": "db-1",
        "Description": "database server",
        "MacAddress": "52:54:00:77:00:13",
        "PrivateIpAddress": "10.77.0.13",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.77.0.13"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd77::13"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-db",
            "GroupId": "sg-db"
          }
        ],
        "SourceDestCheck": true
      },
      {
        "NetworkInterfaceId": "web-1",
        "Description": "web server",
        "MacAddress": "52:54:00:77:00:11",
        "PrivateIpAddress": "10.77.0.11",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.77.0.11"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd77::11"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-web",
            "GroupId": "sg-web"
          }
        ],
        "SourceDestCheck": true
      }
    ],
    "PrefixLists": [
      {
        "PrefixListId": "pl-office",
        "PrefixListName": "networks of the office",
        "AddressFamily": "IPv4",
        "Entries": [
          {
            "Cidr": "203.0.113.0/24"
          },
          {
            "Cidr": "2001:db8::/32"
          }
        ]
      }
    ]
  }
! EFFECT   OBJECT           WHAT                                         WHERE
! left-out sg-app/app       the id of the rule: AWS gives ids of its own -
! left-out sg-app/ssh       the id of the rule: AWS gives ids of its own -
! left-out sg-app/ping      the id of the rule: AWS gives ids of its own -
! left-out sg-bastion/ssh   the id of the rule: AWS gives ids of its own -
! left-out sg-bastion/ping  the id of the rule: AWS gives ids of its own -
! left-out sg-db/postgresql the id of the rule: AWS gives ids of its own -
! left-out sg-db/ssh        the id of the rule: AWS gives ids of its own -
! left-out sg-db/ping       the id of the rule: AWS gives ids of its own -
! left-out sg-web/https     the id of the rule: AWS gives ids of its own -
! left-out sg-web/http      the id of the rule: AWS gives ids of its own -
! left-out sg-web/ssh       the id of the rule: AWS gives ids of its own -
! left-out sg-web/ping      the id of the rule: AWS gives ids of its own -
$ sgctl export aws $examples/two-networks
  {
    "SecurityGroups": [
      {
        "Description": "blue's databases: they open no connection, but to the metadata service",
        "GroupName": "sg-db",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 3306,
            "ToPort": 3306,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-web",
                "Description": "blue's web servers, never red's"
              }
            ]
          }
        ],
        "GroupId": "sg-db",
        "IpPermissionsEgress": [],
        "VpcId": "blue"
      },
      {
        "Description": "blue's web servers",
        "GroupName": "sg-web",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "visitors"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "visitors"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-web",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "VpcId": "blue"
      },
      {
        "Description": "red's databases",
        "GroupName": "sg-db",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 3306,
            "ToPort": 3306,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-web",
                "Description": "red's web servers, never blue's"
              }
            ]
          }
        ],
        "GroupId": "sg-db",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "VpcId": "red"
      },
      {
        "Description": "red's web servers",
        "GroupName": "sg-web",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "visitors"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "visitors"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-web",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "VpcId": "red"
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "blue-db",
        "Description": "database of blue",
        "MacAddress": "52:54:00:00:0b:02",
        "PrivateIpAddress": "10.0.0.2",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.0.0.2"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd00::2"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-db",
            "GroupId": "sg-db"
          }
        ],
        "SourceDestCheck": true,
        "VpcId": "blue"
      },
      {
        "NetworkInterfaceId": "blue-web",
        "Description": "web server of blue",
        "MacAddress": "52:54:00:00:0b:01",
        "PrivateIpAddress": "10.0.0.1",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.0.0.1"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd00::1"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-web",
            "GroupId": "sg-web"
          }
        ],
        "SourceDestCheck": true,
        "VpcId": "blue"
      },
      {
        "NetworkInterfaceId": "red-db",
        "Description": "database of red, with blue-db's addresses",
        "MacAddress": "52:54:00:00:0c:02",
        "PrivateIpAddress": "10.0.0.2",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.0.0.2"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd00::2"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-db",
            "GroupId": "sg-db"
          }
        ],
        "SourceDestCheck": true,
        "VpcId": "red"
      },
      {
        "NetworkInterfaceId": "red-web",
        "Description": "web server of red, with blue-web's addresses",
        "MacAddress": "52:54:00:00:0c:01",
        "PrivateIpAddress": "10.0.0.1",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.0.0.1"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd00::1"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-web",
            "GroupId": "sg-web"
          }
        ],
        "SourceDestCheck": true,
        "VpcId": "red"
      }
    ]
  }
! EFFECT   OBJECT       WHAT                                             WHERE
! left-out sg-db/mysql  the id of the rule: AWS gives ids of its own     -
! left-out sg-web/https the id of the rule: AWS gives ids of its own     -
! left-out blue         exempt endpoints of the network: AWS has its own -
! left-out sg-db/mysql  the id of the rule: AWS gives ids of its own     -
! left-out sg-web/https the id of the rule: AWS gives ids of its own     -
$ sgctl export aws $examples/default-group.json
  {
    "SecurityGroups": [
      {
        "Description": "what every VM without groups of its own carries",
        "GroupName": "sg-default",
        "IpPermissions": [
          {
            "IpProtocol": "-1",
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [
              {
                "GroupId": "sg-default",
                "Description": "everything between members"
              }
            ]
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 9100,
            "ToPort": 9100,
            "IpRanges": [
              {
                "CidrIp": "10.10.0.9/32",
                "Description": "the monitor"
              }
            ],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-default",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "-1",
            "IpRanges": [
              {
                "CidrIp": "0.0.0.0/0",
                "Description": "as when egress is not written at all"
              }
            ],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "as when egress is not written at all"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "vm-1",
        "Description": "carries sg-default, because it says no groups",
        "MacAddress": "52:54:00:00:10:01",
        "PrivateIpAddress": "10.10.0.1",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.10.0.1"
          }
        ],
        "Ipv6Addresses": [],
        "Groups": [
          {
            "GroupName": "sg-default",
            "GroupId": "sg-default"
          }
        ],
        "SourceDestCheck": true
      },
      {
        "NetworkInterfaceId": "vm-2",
        "Description": "likewise, so vm-1 and vm-2 reach each other",
        "MacAddress": "52:54:00:00:10:02",
        "PrivateIpAddress": "10.10.0.2",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.10.0.2"
          }
        ],
        "Ipv6Addresses": [],
        "Groups": [
          {
            "GroupName": "sg-default",
            "GroupId": "sg-default"
          }
        ],
        "SourceDestCheck": true
      },
      {
        "NetworkInterfaceId": "vm-3",
        "Description": "on another host: a member of sg-default, attached there",
        "MacAddress": "52:54:00:00:10:03",
        "PrivateIpAddress": "10.10.0.3",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.10.0.3"
          }
        ],
        "Ipv6Addresses": [],
        "Groups": [
          {
            "GroupName": "sg-default",
            "GroupId": "sg-default"
          }
        ],
        "SourceDestCheck": true
      }
    ]
  }
! EFFECT   OBJECT                WHAT                                         WHERE
! left-out sg-default/members    the id of the rule: AWS gives ids of its own -
! left-out sg-default/metrics    the id of the rule: AWS gives ids of its own -
! left-out sg-default/everywhere the id of the rule: AWS gives ids of its own -
$ sgctl export aws $examples/prefix-lists.json --strict
  {
    "SecurityGroups": [
      {
        "Description": "servers of the shop",
        "GroupName": "sg-shop",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 8080,
            "ToPort": 8080,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-offices",
                "Description": "people who may see the shop"
              },
              {
                "PrefixListId": "pl-partners",
                "Description": "people who may see the shop"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 9000,
            "ToPort": 9010,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-offices",
                "Description": "people who may see the shop"
              },
              {
                "PrefixListId": "pl-partners",
                "Description": "people who may see the shop"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "udp",
            "FromPort": 9999,
            "ToPort": 9999,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-offices",
                "Description": "people who may see the shop"
              },
              {
                "PrefixListId": "pl-partners",
                "Description": "people who may see the shop"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "IpRanges": [
              {
                "CidrIp": "198.51.100.7/32",
                "Description": "the address of whoever is on call"
              }
            ],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-offices",
                "Description": "administrators work at the offices"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [
              {
                "CidrIp": "198.51.100.7/32",
                "Description": "the address of whoever is on call"
              }
            ],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-offices",
                "Description": "administrators work at the offices"
              }
            ],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-shop",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-partners",
                "Description": "interfaces of partners"
              }
            ],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [
              {
                "PrefixListId": "pl-s3",
                "Description": "matches nothing until the list gets entries"
              }
            ],
            "UserIdGroupPairs": []
          }
        ]
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "shop-1",
        "Description": "shop server",
        "MacAddress": "52:54:00:00:80:01",
        "PrivateIpAddress": "10.80.0.1",
        "PrivateIpAddresses": [
          {
            "Primary": true,
            "PrivateIpAddress": "10.80.0.1"
          }
        ],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "fd80::1"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-shop",
            "GroupId": "sg-shop"
          }
        ],
        "SourceDestCheck": true,
        "ConnectionTrackingConfiguration": {
          "TcpEstablishedTimeout": 3600
        }
      }
    ],
    "PrefixLists": [
      {
        "PrefixListId": "pl-offices",
        "PrefixListName": "our offices",
        "AddressFamily": "IPv4",
        "Entries": [
          {
            "Cidr": "203.0.113.0/25"
          },
          {
            "Cidr": "203.0.113.192/26"
          },
          {
            "Cidr": "2001:db8:aaaa::/48"
          }
        ]
      },
      {
        "PrefixListId": "pl-partners",
        "PrefixListName": "companies that we work with; a list may hold the networks of another one too",
        "AddressFamily": "IPv4",
        "Entries": [
          {
            "Cidr": "192.0.2.17/32"
          },
          {
            "Cidr": "198.51.100.0/24"
          },
          {
            "Cidr": "2001:db8:bbbb::/48"
          }
        ]
      },
      {
        "PrefixListId": "pl-s3",
        "PrefixListName": "known by name only, as imported from AWS"
      }
    ]
  }
! EFFECT   OBJECT        WHAT                                         WHERE
! left-out sg-shop/shop  the id of the rule: AWS gives ids of its own -
! left-out sg-shop/admin the id of the rule: AWS gives ids of its own -
! left-out sg-shop/admin the id on-call of a peer                     -
! left-out sg-shop/https the id of the rule: AWS gives ids of its own -
! left-out sg-shop/s3    the id of the rule: AWS gives ids of its own -
! left-out shop-1        description of the connection tracking       -
! left-out shop-1        max_flows of the connection tracking         -
= 1
$ sgctl export aws $examples/ipv6-only.json
  {
    "SecurityGroups": [
      {
        "Description": "mail servers of an IPv6-only network",
        "GroupName": "sg-mail",
        "IpPermissions": [
          {
            "IpProtocol": "tcp",
            "FromPort": 25,
            "ToPort": 25,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "mail from every IPv6 address; 'any' would mean IPv4 too"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 465,
            "ToPort": 465,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "mail from every IPv6 address; 'any' would mean IPv4 too"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 587,
            "ToPort": 587,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "mail from every IPv6 address; 'any' would mean IPv4 too"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 993,
            "ToPort": 993,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "2001:db8:100::/48",
                "Description": "our own users"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 128,
            "ToPort": 0,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "echo requests of IPv6"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "icmpv6",
            "FromPort": 2,
            "ToPort": -1,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "for senders whose error belongs to no live flow; those of live flows pass without a rule"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ],
        "GroupId": "sg-mail",
        "IpPermissionsEgress": [
          {
            "IpProtocol": "tcp",
            "FromPort": 25,
            "ToPort": 25,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "::/0",
                "Description": "mail to other servers"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "tcp",
            "FromPort": 53,
            "ToPort": 53,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "2001:db8:100::53/128",
                "Description": "our resolver"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          },
          {
            "IpProtocol": "udp",
            "FromPort": 53,
            "ToPort": 53,
            "IpRanges": [],
            "Ipv6Ranges": [
              {
                "CidrIpv6": "2001:db8:100::53/128",
                "Description": "our resolver"
              }
            ],
            "PrefixListIds": [],
            "UserIdGroupPairs": []
          }
        ]
      }
    ],
    "NetworkInterfaces": [
      {
        "NetworkInterfaceId": "mail-1",
        "Description": "mail server; fe80::25 is listed because it is not the address that follows from the MAC",
        "MacAddress": "52:54:00:00:25:01",
        "PrivateIpAddresses": [],
        "Ipv6Addresses": [
          {
            "Ipv6Address": "2001:db8:100::25"
          },
          {
            "Ipv6Address": "fe80::25"
          }
        ],
        "Ipv6Prefixes": [
          {
            "Ipv6Prefix": "2001:db8:100:25::/64"
          }
        ],
        "Groups": [
          {
            "GroupName": "sg-mail",
            "GroupId": "sg-mail"
          }
        ],
        "SourceDestCheck": true
      }
    ]
  }
! EFFECT   OBJECT          WHAT                                         WHERE
! left-out sg-mail/mail    the id of the rule: AWS gives ids of its own -
! left-out sg-mail/imaps   the id of the rule: AWS gives ids of its own -
! left-out sg-mail/ping    the id of the rule: AWS gives ids of its own -
! left-out sg-mail/too-big the id of the rule: AWS gives ids of its own -
! left-out sg-mail/smtp    the id of the rule: AWS gives ids of its own -
! left-out sg-mail/dns     the id of the rule: AWS gives ids of its own -
