# Traces of real frames: one in hexadecimal, and every frame of a capture.

$ cp $examples/three-tier.json policy.json; policy=policy.json; python3 "$data/make-capture.py" web.pcap
$ sgctl trace --interface web-1 --policy $policy --pcap web.pcap
  18 packets of the capture, 1 not of web-1, 9 denied
  DIR VERDICT REASON                 RULE                  FLOWS PACKETS BYTES
  in  deny    no_rule                -                         0       3  166B
  out allow   rule                   sg-web/default-egress     2       2  110B
  in  deny    truncated              -                         0       1   30B
  out allow   arp                    -                         0       1   42B
  out deny    spoofed_arp            -                         0       1   42B
  out deny    spoofed_source         -                         0       1   43B
  in  allow   flow                   sg-web/default-egress     0       1   43B
  in  deny    fragment_without_first -                         0       1   50B
  out allow   flow                   sg-web/https              0       1   54B
  in  deny    ethertype              -                         0       1   54B
  in  allow   flow                   sg-web/https              0       1   54B
  in  allow   rule                   sg-web/https              1       1   54B
  in  deny    icmp_unrelated         -                         0       1   71B
  in  allow   related                sg-web/default-egress     0       1   71B
  
  Denied:
  DIR PROTO SRC               DST         DPORT REASON                 PACKETS
  in  tcp   192.0.2.1         10.77.0.11     22 no_rule                      2
  in  -     02:00:00:00:00:01 -               - truncated                    1
  out arp   52:54:00:77:00:11 -               - spoofed_arp                  1
  out udp   10.9.9.9          9.9.9.9        53 spoofed_source               1
  in  udp   192.0.2.7         10.77.0.11      - fragment_without_first       1
  in  -     02:00:00:00:00:01 -               - ethertype                    1
  in  udp   192.0.2.7         10.77.0.11    443 no_rule                      1
  in  icmp  9.9.9.9           10.77.0.11 type 3 icmp_unrelated               1
$ sgctl trace --interface web-1 --policy $policy --pcap web.pcap --expect allow | head -n 1
  18 packets of the capture, 1 not of web-1, 9 denied
! sgctl: expected allow, but the verdict is deny
$ sgctl trace --interface web-1 --policy $policy --pcap web.pcap --json | command jq -c '.packets, .foreign, .denied, .verdicts[0], .denied_flows[0]'
  18
  1
  9
  {"direction":"ingress","verdict":"deny","reason":"no_rule","rule":null,"packets":3,"bytes":166,"flows":0}
  {"direction":"ingress","protocol":"tcp","src":"192.0.2.1","dst":"10.77.0.11","dport":"22","reason":"no_rule","packets":2,"bytes":108}
$ head -c 300 web.pcap >cut.pcap; sgctl trace --interface web-1 --policy $policy --pcap cut.pcap | head -n 1
  3 packets of the capture, 0 not of web-1, 0 denied
! sgctl: warning: cut.pcap: truncated dump file; tried to read 54 captured bytes, only got 50

$ sgctl trace --interface web-1 --policy $policy --direction in --frame '52:54:00:77:00:11 02:00:00:00:00:01 0800 4500 0028 0001 0000 4006 0000 c0000201 0a4d000b 0fa1 01bb 00000001 00000001 5002 ffff 0000 0000'
  ALLOW by sg-web/https
    frame: 54 bytes from 02:00:00:00:00:01, tcp from 192.0.2.1 to 10.77.0.11 port 443
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at 10.77.0.11
    other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to
    rule sg-web/https: matches
    rule sg-web/http: another port
    rule sg-web/ssh: another port, peer
    rule sg-web/ping: another protocol, peer
    allowed: by rule sg-web/https, peer any
$ sgctl trace --interface web-1 --policy $policy --direction in --frame '525400770011 020000000001 8100 0007 0800 4500 0028 0001 0000 4006 0000 c0000201 0a4d000b 0fa1 01bb 00000001 00000001 5002 ffff 0000 0000'
  DENY vlan: a VLAN tag that the interface does not list
    frame: 58 bytes from 02:00:00:00:00:01, VLAN 7, tcp from 192.0.2.1 to 10.77.0.11 port 443
    denied: a VLAN tag that the interface does not list
$ sgctl trace --interface web-1 --policy $policy --direction out --frame '020000000001 525400770012 0800 4500 0028 0001 0000 4006 0000 0a4d000b c0000201 0fa1 01bb 00000001 00000001 5002 ffff 0000 0000' --expect deny
  DENY spoofed_mac: the source MAC is not the interface's
    frame: 54 bytes from 52:54:00:77:00:12, tcp from 10.77.0.11 to 192.0.2.1 port 443
    denied: the source MAC is not the interface's
$ sgctl trace --interface web-1 --policy $policy --direction out --frame 'ffffffffffff 525400770011' --json
  {
    "verdict": "deny",
    "reason": "truncated",
    "rule": null,
    "nearest": null,
    "interface": "web-1",
    "direction": "egress",
    "steps": [
      "frame: 12 bytes: the frame ends inside a header",
      "denied: the frame ends inside a header"
    ]
  }

$ sgctl trace --interface web-1 --policy $policy --pcap $policy
! policy.json: cannot be read as a capture: unknown file format
= 1
$ sgctl trace --interface web-1 --policy $policy --pcap missing.pcap
! missing.pcap: cannot open it: No such file or directory
= 1
$ sgctl trace --interface web-1 --policy $policy --frame 5254
! sgctl: trace --frame needs --direction ingress|egress
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --policy $policy --direction in --frame 525
! sgctl: --frame is not hexadecimal: digits in pairs, with spaces or colons between
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --policy $policy --direction in --frame 52 --src 10.0.0.1
! sgctl: --src does not go with --frame: a frame says it itself
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --policy $policy --pcap web.pcap --direction in
! sgctl: --direction does not go with --pcap: the frames say it themselves
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web1 --policy $policy --pcap web.pcap
! sgctl: the policy has no interface web1; did you mean web-1?
= 1
$ sgctl trace --interface web-1 --direction in --protocol tcp --src 10.0.0.1
! sgctl: trace needs --dst A
! Try 'sgctl help trace'.
= 2
