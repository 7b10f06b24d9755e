# Assertions about a policy: what passes, what fails and why, and files that are none.

$ policy=$examples/three-tier.json
$ sgctl test "$data/reachability.json" --policy "$policy"
  ok      the world reaches https
  ok      web-1 ingress [2001:db8::9]:5000 > [fd77::11]:22
  ok      the application asks the database
  ok      the bastion pings
  4 passed, 0 failed
$ sgctl test --policy "$policy" -- "$data/reachability-wrong.json"
  FAILED  the world reaches the database: expected verdict allow, got deny
  FAILED  https by another rule: expected rule sg-web/http, got sg-web/https
  FAILED  nobody: the policy has no interface nobody
  0 passed, 3 failed
= 1
$ jq() { python3 -c "import json,sys; print([(t['passed'], t['problem']) for t in json.load(sys.stdin)])"; }
$ sgctl --json test --policy "$policy" -- "$data/reachability-wrong.json" | jq
  [(False, 'expected verdict allow, got deny'), (False, 'expected rule sg-web/http, got sg-web/https'), (False, 'the policy has no interface nobody')]

# 2 when a file cannot be read, or is no tests.

$ (cd "$data" && sgctl test reachability.json missing.json --policy "$policy")
! missing.json: cannot open it: No such file or directory
= 2
$ echo '{"version": 2, "tests": 7}' | sgctl test - --policy "$policy"
! -: /version: tests have version 1
! -: tests are an array, or an object {"version": 1, "tests": [...]}
= 2
$ echo '[{"interface": "web-1", "direction": "up", "expect": "alow", "color": 1}, 3]' | sgctl test - --policy "$policy"
! -: /0: "expect" is neither "allow" nor "deny"
! -: /0/color: unknown field "color"; interface, direction, protocol, src, dst, sport, dport, icmp
! -: /0/direction: "up" is not a direction; ingress or egress
! -: /0/protocol: "protocol" is missing; tcp, udp, icmp, icmpv6, sctp, gre, esp, ah or a number from 0 to 255
! -: /0/src: "src" is missing; an address, ADDRESS:PORT or [IPv6]:PORT
! -: /0/dst: "dst" is missing; an address, ADDRESS:PORT or [IPv6]:PORT
! -: /1: a test is an object
= 2
$ echo '[{"interface": }]' | sgctl test -
! -:1:16: unexpected token near '}'
= 2
$ (cd "$data" && sgctl test reachability.json --policy missing.json)
! missing.json: cannot open it: No such file or directory
= 2
