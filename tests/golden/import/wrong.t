# What import and export refuse, and what --strict and --json make of a report.

$ cd "$data/../../data/import"
$ sgctl import aws trailing-comma.json
! trailing-comma.json:3:24: this is not JSON: string or '}' expected near '}'
= 1
$ sgctl import aws duplicate-key.json
! duplicate-key.json:2:31: this is not JSON: duplicate object key near '"GroupId"'
= 1
$ sgctl import aws a-string.json
! a-string.json: this is neither an object nor a list
= 1
$ sgctl import aws nowhere.json
! nowhere.json: cannot open it: No such file or directory
= 1
$ sgctl import aws neutron.json
! neutron.json: this is a document of OpenStack Neutron; sgctl import neutron
= 1
$ sgctl import neutron aws-names.json
! aws-names.json: this is a document of the AWS CLI; sgctl import aws
= 1
$ sgctl import terraform neutron.json
! neutron.json: this is not Terraform's; a state file, or what "terraform show -json" prints
= 1
$ printf '%0300000d' 0 | tr 0 '[' | sgctl import aws -
! -:1:2049: this is not JSON: maximum parsing depth reached near '['
= 1
$ sgctl import azure x.json
! sgctl: import knows aws, terraform and neutron, not "azure"
! Try 'sgctl help import'.
= 2
$ sgctl import aws
! sgctl: incomplete; usage: sgctl import aws|terraform|neutron FILE... [OPTION...]
! Try 'sgctl help import'.
= 2
$ sgctl import aws x.json --device '%z'
! sgctl: --device "%z" has no %i, %I or %m after a % (%% is the character)
! Try 'sgctl help import'.
= 2
$ sgctl import aws x.json --entries second-call.json=office
! sgctl: --entries "second-call.json=office" is not FILE=pl-ID
! Try 'sgctl help import'.
= 2
$ sgctl import aws aws-interfaces.json --device tap 2>&1 >/dev/null
  aws-interfaces.json: /NetworkInterfaces/0: eni-00000000000000003 and eni-0123456789abcdef0 would both be the device tap; a longer part of the id in --device, or --map FILE
  aws-interfaces.json: /NetworkInterfaces/1: eni-00000000000000003 and eni-0fedcba9876543210 would both be the device tap; a longer part of the id in --device, or --map FILE
  aws-interfaces.json: /Reservations/0/Instances/0: eni-00000000000000003 and i-1 would both be the device tap; a longer part of the id in --device, or --map FILE
= 1
$ sgctl import aws aws-interfaces.json --device tap-%i 2>&1 >/dev/null
  aws-interfaces.json: /NetworkInterfaces/2: "tap-eni-00000000000000003" is no name of a device (interface eni-00000000000000003); at most 15 bytes, without '/', ':' and white space, as --device tap%.11I
  aws-interfaces.json: /NetworkInterfaces/0: "tap-eni-0123456789abcdef0" is no name of a device (interface eni-0123456789abcdef0); at most 15 bytes, without '/', ':' and white space, as --device tap%.11I
  aws-interfaces.json: /NetworkInterfaces/1: "tap-eni-0fedcba9876543210" is no name of a device (interface eni-0fedcba9876543210); at most 15 bytes, without '/', ':' and white space, as --device tap%.11I
= 1
$ sgctl import aws aws-interfaces.json --map a-string.json
! a-string.json: this is neither an object nor a list
= 1
$ sgctl import aws x.json --network a --output-dir b
! sgctl: --output-dir makes a network of each VPC: it does not go with --network
! Try 'sgctl help import'.
= 2
$ sgctl import aws aws-wrappers.json --strict >/dev/null
! EFFECT   OBJECT WHAT                                            WHERE
! left-out -      the listing goes on: this file is not all of it aws-wrappers.json#/1/NextToken
= 1
$ sgctl import aws aws-wrappers.json --json >/dev/null
! {
!   "report": [
!     {
!       "effect": "left-out",
!       "code": "next-token",
!       "object": null,
!       "message": "the listing goes on: this file is not all of it",
!       "file": "aws-wrappers.json",
!       "pointer": "/1/NextToken"
!     }
!   ],
!   "left_out": 0
! }
$ sgctl import aws trailing-comma.json --json
  {
    "errors": [
      {
        "code": "syntax",
        "file": "trailing-comma.json",
        "line": 3,
        "column": 24,
        "pointer": null,
        "message": "this is not JSON: string or '}' expected near '}'",
        "fix": null
      }
    ]
  }
! trailing-comma.json:3:24: this is not JSON: string or '}' expected near '}'
= 1
$ sgctl export azure
! sgctl: export knows aws and nft, not "azure"
! Try 'sgctl help export'.
= 2
$ sgctl export nft --json $examples/web-server.json
! sgctl: export nft has no --json
! Try 'sgctl help export'.
= 2
$ sgctl export aws trailing-comma.json
! trailing-comma.json:3:23: a comma before '}'; remove the comma
= 1
$ sgctl export aws
! sgctl: no rulesd answers on /nonexistent/tapguard.sock (No such file or directory); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1

# A shell sees the policy alone, a terminal the report after it, within its width.
$ tty80 sgctl import aws aws-list-without-entries.json
  {
    "version": 1,
    "network": "default",
    "prefix_lists": {
      "pl-44444444": {
        "external": true,
        "x-aws": {
          "PrefixListName": "waits for its entries"
        }
      }
    }
  }
  EFFECT   OBJECT      WHAT                      WHERE
  narrower pl-44444444 the entries of the prefix aws-list-without-entries.json#/
                       list are not in these     PrefixLists/0
                       files: it is external and 
                       matches nothing           
