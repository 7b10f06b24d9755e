# Traces of policy files: the rule, or the nearest miss, and how it came to it; exit 0 for either verdict.

$ trace() { sgctl trace --policy "$examples/three-tier.json" --interface "$1" --direction "$2" --protocol "$3" --src "$4" --dst "$5" "${@:6}"; }
$ trace web-1 ingress tcp 192.0.2.1 10.77.0.11:443
  ALLOW by sg-web/https
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at 10.77.0.11
    other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to
    rule sg-web/https: matches
    rule sg-web/http: another port
    rule sg-web/ssh: another port, peer
    rule sg-web/ping: another protocol, peer
    allowed: by rule sg-web/https, peer any
$ trace web-1 ingress tcp 192.0.2.1 10.77.0.11:444
  DENY no_rule: nearest is sg-web/https, which differs in port
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at 10.77.0.11
    other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to
    rule sg-web/https: another port
    rule sg-web/http: another port
    rule sg-web/ssh: another port, peer
    rule sg-web/ping: another protocol, peer
    denied: no rule of any of the interface's groups allows it
$ trace web-1 ingress tcp '[2001:db8::1]:1024' '[fd77::11]:22'
  DENY no_rule: nearest is sg-web/https, which differs in port
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at fd77::11
    other side: 2001:db8::1 is in pl-office
    rule sg-web/https: another port
    rule sg-web/http: another port
    rule sg-web/ssh: another peer
    rule sg-web/ping: another protocol, peer
    denied: no rule of any of the interface's groups allows it
$ trace db-1 egress tcp 10.77.0.13 10.77.0.12:8080
  DENY no_rule: no rule of any of the interface's groups allows it
    interface: db-1 of network default carries sg-db
    guard: db-1 may send from 10.77.0.13
    other side: 10.77.0.12 is in sg-app
    rules: the groups have no egress rule
    denied: no rule of any of the interface's groups allows it
$ trace db-1 egress udp 10.77.0.99 10.77.0.12:53
  DENY spoofed_source: the source address is neither the interface's nor one it is allowed
    interface: db-1 of network default carries sg-db
    guard: refuses sending from 10.77.0.99 to 10.77.0.12
    denied: the source address is neither the interface's nor one it is allowed
$ trace web-1 in icmp 10.77.0.14 10.77.0.11
  ALLOW by sg-web/ping
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at 10.77.0.11
    other side: 10.77.0.14 is in sg-bastion
    rule sg-web/https: another protocol
    rule sg-web/http: another protocol
    rule sg-web/ssh: another protocol
    rule sg-web/ping: matches
    allowed: by rule sg-web/ping, peer sg-bastion
$ trace web-1 in icmp 10.77.0.14 10.77.0.11 --icmp-type 13
  DENY no_rule: nearest is sg-web/ping, which differs in type
    interface: web-1 of network default carries sg-web
    guard: web-1 may be reached at 10.77.0.11
    other side: 10.77.0.14 is in sg-bastion
    rule sg-web/https: another protocol
    rule sg-web/http: another protocol
    rule sg-web/ssh: another protocol
    rule sg-web/ping: another type
    denied: no rule of any of the interface's groups allows it
$ trace web-1 in icmp 10.77.0.14 10.77.0.11 --icmp-type timestamp-request --json
  {
    "verdict": "deny",
    "reason": "no_rule",
    "rule": null,
    "nearest": {
      "rule": "sg-web/ping",
      "differs": [
        "type"
      ]
    },
    "interface": "web-1",
    "direction": "ingress",
    "steps": [
      "interface: web-1 of network default carries sg-web",
      "guard: web-1 may be reached at 10.77.0.11",
      "other side: 10.77.0.14 is in sg-bastion",
      "rule sg-web/https: another protocol",
      "rule sg-web/http: another protocol",
      "rule sg-web/ssh: another protocol",
      "rule sg-web/ping: another type",
      "denied: no rule of any of the interface's groups allows it"
    ]
  }

# --expect turns the verdict into an exit status.

$ trace db-1 ingress tcp 192.0.2.1 10.77.0.13:5432 --expect deny
  DENY no_rule: nearest is sg-db/postgresql, which differs in peer
    interface: db-1 of network default carries sg-db
    guard: db-1 may be reached at 10.77.0.13
    other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to
    rule sg-db/postgresql: another peer
    rule sg-db/ssh: another port, peer
    rule sg-db/ping: another protocol, peer
    denied: no rule of any of the interface's groups allows it
$ trace db-1 ingress tcp 192.0.2.1 10.77.0.13:5432 --expect allow --json
  {
    "verdict": "deny",
    "reason": "no_rule",
    "rule": null,
    "nearest": {
      "rule": "sg-db/postgresql",
      "differs": [
        "peer"
      ]
    },
    "interface": "db-1",
    "direction": "ingress",
    "steps": [
      "interface: db-1 of network default carries sg-db",
      "guard: db-1 may be reached at 10.77.0.13",
      "other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to",
      "rule sg-db/postgresql: another peer",
      "rule sg-db/ssh: another port, peer",
      "rule sg-db/ping: another protocol, peer",
      "denied: no rule of any of the interface's groups allows it"
    ]
  }
! sgctl: expected allow, but the verdict is deny
= 1

# On a terminal the verdict has a color; --policy goes before, after, and more than once.

$ color sgctl trace --policy "$examples/default-group.json" "$examples/ipv6-only.json" --interface nobody --direction in --protocol tcp --src ::1 --dst '[::2]:1'
  sgctl: the policy has no interface nobody
= 1
$ color sgctl --policy "$examples/web-server.json" trace --interface web-1 --direction out --protocol tcp --src 10.0.0.5 --dst 192.0.2.1:443 | sed 's/\x1b/ESC/g'
  ESC[1;32mALLOWESC[0m by sg-web/updates
    interface: web-1 of network default carries sg-web
    guard: web-1 may send from 10.0.0.5
    other side: 192.0.2.1 is in no group, CIDR or prefix list that rules of network default refer to
    rule sg-web/updates: matches
    rule sg-web/dns: another port
    rule sg-web/ntp: another protocol, port
    allowed: by rule sg-web/updates, peer any

# What is not in the policy.

$ trace web1 ingress tcp 192.0.2.1 10.77.0.11:443
! sgctl: the policy has no interface web1; did you mean web-1?
= 1
$ sgctl trace --policy none.json --interface web-1 --direction in --protocol tcp --src 10.0.0.1 --dst 10.0.0.2:1
! none.json: cannot open it: No such file or directory
= 1
