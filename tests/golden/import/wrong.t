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
$ sgctl export nft $examples/web-server.json
  #!/usr/sbin/nft -f
  # Security groups as sgctl export nft writes them. Sets hold the addresses of
  # groups and prefix lists, a chain for each group its rules, a chain for each
  # tap its guard and its groups. Not in here, because nft has no words for it:
  # allowances of flows, timeouts, ARP senders, revocation of live flows.
  table inet tapguard
  delete table inet tapguard
  table inet tapguard {
  	# the addresses of the interfaces that carry sg-default
  	set default.sg-default.v4 {
  		type ipv4_addr
  	}
  	set default.sg-default.v6 {
  		type ipv6_addr
  	}
  	# the addresses of the interfaces that carry sg-web
  	set default.sg-web.v4 {
  		type ipv4_addr
  		elements = { 10.0.0.5 }
  	}
  	set default.sg-web.v6 {
  		type ipv6_addr
  		elements = { fd00::5 }
  	}
  
  	# ---- network default
  	chain default.sg-default.in {
  		ip saddr @default.sg-default.v4 accept comment "sg-default/sgr-4fd56de6"
  		ip6 saddr @default.sg-default.v6 accept comment "sg-default/sgr-4fd56de6"
  	}
  	chain default.sg-default.out {
  		accept comment "sg-default/default-egress"
  	}
  	chain default.sg-web.in {
  		tcp dport { 443 } accept comment "sg-web/https"
  		tcp dport { 80 } accept comment "sg-web/http"
  		ip saddr 203.0.113.0/24 tcp dport { 22 } accept comment "sg-web/ssh"
  		ip6 saddr 2001:db8:0:1::/64 tcp dport { 22 } accept comment "sg-web/ssh"
  		icmp type 8 accept comment "sg-web/ping"
  		icmpv6 type 128 accept comment "sg-web/ping"
  	}
  	chain default.sg-web.out {
  		tcp dport { 80, 443 } accept comment "sg-web/updates"
  		tcp dport { 53 } accept comment "sg-web/dns"
  		udp dport { 53 } accept comment "sg-web/dns"
  		udp dport { 123 } accept comment "sg-web/ntp"
  	}
  	chain if.web-1.in.own4 {
  		ip daddr 10.0.0.5 return
  		ip daddr { 224.0.0.0/4, 255.255.255.255 } return
  		drop
  	}
  	chain if.web-1.in.own6 {
  		ip6 daddr fd00::5 return
  		ip6 daddr fe80::5054:ff:fe00:1 return
  		ip6 daddr ff00::/8 return
  		drop
  	}
  	# what web-1 is sent
  	chain if.web-1.in {
  		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, mld2-listener-report } accept
  		udp sport 67 udp dport 68 accept
  		meta protocol ip jump if.web-1.in.own4
  		meta protocol ip6 jump if.web-1.in.own6
  		ct state established,related accept
  		ct state invalid drop
  		jump default.sg-web.in
  		drop
  	}
  	chain if.web-1.out.own4 {
  		ip saddr 10.0.0.5 return
  		drop
  	}
  	chain if.web-1.out.own6 {
  		ip6 saddr fd00::5 return
  		ip6 saddr fe80::5054:ff:fe00:1 return
  		drop
  	}
  	# what web-1 sends
  	chain if.web-1.out {
  		udp sport 67 udp dport 68 drop comment "no DHCP server"
  		icmpv6 type nd-router-advert drop
  		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, mld2-listener-report } accept
  		udp sport 68 udp dport 67 accept
  		meta protocol ip jump if.web-1.out.own4
  		meta protocol ip6 jump if.web-1.out.own6
  		ct state established,related accept
  		ct state invalid drop
  		jump default.sg-web.out
  		drop
  	}
  
  	# ---- taps
  	map taps.out {
  		type ifname : verdict
  		elements = {
  			"tap0" : jump if.web-1.out
  		}
  	}
  	map taps.in {
  		type ifname : verdict
  		elements = {
  			"tap0" : jump if.web-1.in
  		}
  	}
  	chain prerouting {
  		type filter hook prerouting priority filter; policy accept
  		iifname vmap @taps.out
  	}
  	chain postrouting {
  		type filter hook postrouting priority filter; policy accept
  		oifname vmap @taps.in
  	}
  }
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
