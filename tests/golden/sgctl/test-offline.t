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

# The other side may stand for many addresses: then it must hold for every packet.

$ sgctl test "$data/every-address.json" --policy "$policy"
  ok      web-1 ingress any > web-1 port 443
  FAILED  web-1 ingress any > web-1 port 22: expected deny for all of any, but 10.77.0.14 > 10.77.0.11 port 22 is allowed by sg-web/ssh
  ok      web-1 ingress sg-bastion > web-1 port 22
  ok      web-1 ingress pl-office > web-1 port 22
  FAILED  web-1 ingress any > web-1: expected deny for all of any, but 1.0.0.0 > 10.77.0.11 port 80 is allowed by sg-web/http
  ok      web-1 ingress any > web-1 port 444-65535
  FAILED  web-1 ingress any > web-1 port 440-445: expected allow for all of any, but 1.0.0.0 > 10.77.0.11 port 440 is denied (no_rule)
  ok      db-1 egress db-1 > any
  ok      web-1 egress web-1 > any
  FAILED  app-1 ingress any > app-1: expected deny for all of any, but 10.77.0.14 > 10.77.0.12 type 8 code 0 is allowed by sg-app/ping
  ok      app-1 ingress sg-bastion > app-1
  FAILED  web-1 ingress sg-nobody > web-1 port 22: the policy has no group sg-nobody
  FAILED  web-1 ingress 10.0.0.0/8 > web-1 port 22: expected deny for all of 10.0.0.0/8, but 10.77.0.14 > 10.77.0.11 port 22 is allowed by sg-web/ssh
  ok      bastion-1 ingress pl-office > bastion-1 port 22
  8 passed, 6 failed
= 1
$ sgctl test "$data/every-address.json" --policy "$policy" --format junit | tail -n 22
  rule sg-app/ping: matches
  allowed: by rule sg-app/ping, peer sg-bastion
  </failure>
    </testcase>
    <testcase classname="policy" name="app-1 ingress sg-bastion &gt; app-1"/>
    <testcase classname="policy" name="web-1 ingress sg-nobody &gt; web-1 port 22">
      <failure message="the policy has no group sg-nobody"></failure>
    </testcase>
    <testcase classname="web-1" name="web-1 ingress 10.0.0.0/8 &gt; web-1 port 22">
      <failure message="expected deny for all of 10.0.0.0/8, but 10.77.0.14 &gt; 10.77.0.11 port 22 is allowed by sg-web/ssh">interface: web-1 of network default carries sg-web
  guard: web-1 may be reached at 10.77.0.11
  other side: 10.77.0.14 is in sg-bastion
  rule sg-web/https: another port
  rule sg-web/http: another port
  rule sg-web/ssh: matches
  rule sg-web/ping: another protocol
  allowed: by rule sg-web/ssh, peer sg-bastion
  </failure>
    </testcase>
    <testcase classname="policy" name="bastion-1 ingress pl-office &gt; bastion-1 port 22"/>
  </testsuite>
  </testsuites>
$ sgctl test "$data/every-address.json" --policy "$policy" --json | python3 -c "import json,sys; print(json.load(sys.stdin)[1]['trace']['rule'])"
  sg-web/ssh
$ sgctl test "$data/reachability.json" --policy "$policy" --format xml
! sgctl: unknown --format "xml"; there are table, json, junit
! Try 'sgctl help test'.
= 2
$ echo '[{"interface": "db-1", "direction": "ingress", "protocol": "tcp", "src": "10.0.0.1/8", "dport": "9-3", "expect": "deny", "x": 1}, {"interface": "db-1", "direction": "egress", "protocol": "gre", "dst": "any", "dport": 5, "expect": "deny"}, {"interface": "db-1", "direction": "ingress", "protocol": "tcp", "src": "everywhere", "dport": 5, "expect": "deny"}]' | sgctl test - --policy "$policy"
! -: /0/x: unknown field "x"
! -: /0/src: "10.0.0.1/8" has host bits set; 10.0.0.0/8
! -: /1/dport: packets of gre have no port; only tcp, udp and sctp have ports
! -: /2/src: "everywhere" stands for no address; any, an address or CIDR, sg-… or pl-…
= 2
$ echo '{"version":1,"groups":{"sg-a":{"ingress":[{"protocol":"tcp","from":["sg-b"]}]},"sg-b":{}},"interfaces":{"i":{"addresses":["10.0.0.1"],"groups":["sg-a"]}}}' >empty.json
$ echo '[{"interface": "i", "direction": "ingress", "protocol": "tcp", "src": "sg-b", "expect": "allow"}]' | sgctl test - --policy empty.json
  FAILED  i ingress sg-b > i: sg-b stands for no address that could reach i: nothing was tested
  0 passed, 1 failed
= 1
