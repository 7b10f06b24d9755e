# A policy that is right: one line that counts what was written. One that is wrong: every error with its place.

$ sgctl validate "$examples/three-tier.json"
  OK: 4 groups, 12 rules, 4 interfaces
$ sgctl validate "$examples/three-tier.json" --json
  []
$ (cd "$data" && sgctl validate wrong.json)
! wrong.json:6:23: /groups/sg-web/ingress/0/protocol: "tpc" is no protocol; did you mean "tcp"?
! wrong.json:7:40: /groups/sg-web/ingress/1/ports/0: 70000 is out of range; an integer from 0 to 65535
! wrong.json:8:54: /groups/sg-web/ingress/2/from/0: "10.0.0.5/8" has host bits set; the network is "10.0.0.0/8"
! wrong.json:9:9: /groups/sg-web/ingress/3: "from" is missing; peers look like "from": ["any"]
! wrong.json:9:45: /groups/sg-web/ingress/3/form: unknown field "form"; did you mean "from"?
! wrong.json:12:5: /groups/sg-web: duplicate key "sg-web", first at line 4, column 5; keep one of them
! wrong.json:15:30: /interfaces/web-1/addresses/0: "10.0.0.300" is no IP address; as "10.0.0.5" or "fd00::5"
! wrong.json:15:55: /interfaces/web-1/groups: an interface without a group; for sg-default leave "groups" out
= 1
$ (cd "$data" && sgctl validate --json wrong.json | grep -c '"code"')
  8
$ (cd "$data" && sgctl validate - <wrong.json 2>&1 | head -n 1)
  -:6:23: /groups/sg-web/ingress/0/protocol: "tpc" is no protocol; did you mean "tcp"?
$ sgctl validate missing.json .
! missing.json: cannot open it: No such file or directory
= 1
$ sgctl validate .
! .: the directory holds no *.json; for an empty policy: {"version": 1}
= 1
$ sgctl validate missing.json --json
  [
    {
      "code": "io",
      "file": "missing.json",
      "line": null,
      "column": null,
      "pointer": null,
      "message": "cannot open it: No such file or directory",
      "fix": null
    }
  ]
= 1

# What a policy holds cannot drive the terminal, nor look like another error.

$ printf '{"version": 1, "gr\\u001b[31m\\nfake.json:1:1: oups": {}}' | sgctl validate - 2>&1 | cut -d" " -f -4
  -:1:16: /gr\x1b[31m\x0afake.json:1:1: oups: unknown

# What only the compiler can tell is an error too.

$ python3 -c 'import json; n = range(70); print(json.dumps({"version": 1, "prefix_lists": {f"pl-{i}": {"entries": ["10.0.0.0/8"]} for i in n}, "groups": {"sg-a": {"ingress": [{"protocol": "tcp", "from": [f"pl-{i}" for i in n]}]}}, "interfaces": {"i": {"addresses": ["10.0.0.1"], "groups": ["sg-a"]}}}))' >many.json
$ sgctl validate many.json 2>&1 | cut -c -118
  many.json:1:33: prefix 10.0.0.0/8 of network default stands for 70 peers that rules refer to, the limit is 64: default
