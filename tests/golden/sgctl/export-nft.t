# A commented ruleset for nft.

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
$ sgctl export nft --family bridge $examples/web-server.json | head -n 9
  #!/usr/sbin/nft -f
  # Security groups as sgctl export nft writes them. Sets hold the addresses of
  # groups and prefix lists, a chain for each group its rules, a chain for each
  # tap its guard and its groups. Not in here, because nft has no words for it:
  # allowances of flows, timeouts, ARP senders, revocation of live flows.
  # Needs the module nf_conntrack_bridge.
  table bridge tapguard
  delete table bridge tapguard
  table bridge tapguard {
$ sgctl export nft --family arp $examples/web-server.json
! sgctl: unknown --family "arp"; there are bridge, inet
! Try 'sgctl help export'.
= 2
