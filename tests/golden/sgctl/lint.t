# sgctl lint: what is wrong with a policy, as tables, lines, JSON and SARIF

$ cp $data/lint-bad.json policy.json; sgctl lint policy.json
  SEVERITY CODE  SUBJECT               PLACE             MESSAGE
  warning  SG101 sg-web/https-again    policy.json:7:9   allows exactly what sg-web/https allows
  info     SG602 sg-web/ssh            policy.json:8:9   no description
  error    SG201 sg-web/ssh            policy.json:8:51  22/tcp (ssh) is open to 0.0.0.0/0
  info     SG104 sg-web/ssh            policy.json:8:64  10.0.0.0/8 is allowed already by other peers of the rule
  error    SG201 sg-web/low            policy.json:9:112 22/tcp (ssh) is open to ::/0
  error    SG203 sg-web/low            policy.json:9:112 23/tcp (telnet), 111/tcp (rpcbind), 135/tcp (msrpc) and 6 more are open to ::/0
  error    SG204 sg-web/low            policy.json:9:112 1433/tcp (sql server) is open to ::/0
  warning  SG207 sg-web/low            policy.json:9:112 1500 ports of tcp are open to ::/0
  warning  SG208 sg-web/low            policy.json:9:112 20/tcp (ftp), 25/tcp (smtp), 110/tcp (pop3) and 143/tcp (imap) are open to ::/0
  info     SG209 sg-web/low            policy.json:9:112 80/tcp (http) is open to ::/0
  info     SG211 sg-old/default-egress policy.json:14:5  everything may go out, because "egress" is missing
  warning  SG303 sg-old                policy.json:14:5  no interface carries it and no other group's rule names it
  info     SG601 sg-old                policy.json:14:5  no description
  warning  SG403 web-1                 policy.json:17:5  no mac: its source MAC is not checked
  
  4 errors, 5 warnings, 5 infos; 1 accepted
= 1

# on a terminal of 80 columns
$ tty80 sgctl lint policy.json --severity error
  SEVERITY CODE  SUBJECT    PLACE             MESSAGE
  error    SG201 sg-web/ssh policy.json:8:51  22/tcp (ssh) is open to 0.0.0.0/0
  error    SG201 sg-web/low policy.json:9:112 22/tcp (ssh) is open to ::/0
  error    SG203 sg-web/low policy.json:9:112 23/tcp (telnet), 111/tcp (rpcbind),
                                              135/tcp (msrpc) and 6 more are open
                                              to ::/0
  error    SG204 sg-web/low policy.json:9:112 1433/tcp (sql server) is open to
                                              ::/0
  
  4 errors; 1 accepted
= 1

# chosen columns
$ sgctl lint policy.json --severity error -o CODE,NAME,RULE,FIX
  CODE  NAME                RULE       FIX
  SG201 world-open-ssh      sg-web/ssh name the networks or the group that need it
  SG201 world-open-ssh      sg-web/low name the networks or the group that need it
  SG203 world-open-admin    sg-web/low name the networks or the group that need it
  SG204 world-open-database sg-web/low name the networks or the group that need it
  
  4 errors; 1 accepted
= 1

# lines for editors; what does not fail
$ sgctl lint policy.json --format gcc --severity warning --fail-on never
  policy.json:7:9: warning: sg-web/https-again: allows exactly what sg-web/https allows; remove it [SG101]
  policy.json:8:51: error: sg-web/ssh: 22/tcp (ssh) is open to 0.0.0.0/0; name the networks or the group that need it [SG201]
  policy.json:9:112: error: sg-web/low: 22/tcp (ssh) is open to ::/0; name the networks or the group that need it [SG201]
  policy.json:9:112: error: sg-web/low: 23/tcp (telnet), 111/tcp (rpcbind), 135/tcp (msrpc) and 6 more are open to ::/0; name the networks or the group that need it [SG203]
  policy.json:9:112: error: sg-web/low: 1433/tcp (sql server) is open to ::/0; name the networks or the group that need it [SG204]
  policy.json:9:112: warning: sg-web/low: 1500 ports of tcp are open to ::/0; open the ports that are served [SG207]
  policy.json:9:112: warning: sg-web/low: 20/tcp (ftp), 25/tcp (smtp), 110/tcp (pop3) and 143/tcp (imap) are open to ::/0; name the networks or the group that need it [SG208]
  policy.json:14:5: warning: sg-old: no interface carries it and no other group's rule names it; remove it [SG303]
  policy.json:17:5: warning: web-1: no mac: its source MAC is not checked; add "mac" [SG403]

$ sgctl lint policy.json --ignore SG201,SG203,SG208,world-open-many-ports --severity warning
  SEVERITY CODE  SUBJECT            PLACE             MESSAGE
  warning  SG101 sg-web/https-again policy.json:7:9   allows exactly what sg-web/https allows
  error    SG204 sg-web/low         policy.json:9:112 1433/tcp (sql server) is open to ::/0
  warning  SG303 sg-old             policy.json:14:5  no interface carries it and no other group's rule names it
  warning  SG403 web-1              policy.json:17:5  no mac: its source MAC is not checked
  
  1 error, 3 warnings; 1 accepted
= 1

$ sgctl lint policy.json --only duplicate-rule --fail-on warning --json
  [
    {
      "code": "SG101",
      "name": "duplicate-rule",
      "severity": "warning",
      "subject": "sg-web/https-again",
      "rule": "sg-web/https-again",
      "network": "default",
      "file": "policy.json",
      "line": 7,
      "column": 9,
      "pointer": "/groups/sg-web/ingress/1",
      "message": "allows exactly what sg-web/https allows",
      "fix": "remove it",
      "fingerprint": "d7ddadc94c61eaf22a4810d0de271edb"
    }
  ]
= 1

$ sgctl lint policy.json --only SG101,SG207 --format sarif | jq '.runs[0].results'
  [
    {
      "ruleId": "SG101",
      "ruleIndex": 0,
      "level": "warning",
      "message": {
        "text": "sg-web/https-again: allows exactly what sg-web/https allows; remove it."
      },
      "locations": [
        {
          "logicalLocations": [
            {
              "fullyQualifiedName": "sg-web/https-again",
              "kind": "resource"
            }
          ],
          "physicalLocation": {
            "artifactLocation": {
              "uri": "policy.json"
            },
            "region": {
              "startLine": 7,
              "startColumn": 9
            }
          }
        }
      ],
      "partialFingerprints": {
        "tapguardLint/v1": "d7ddadc94c61eaf22a4810d0de271edb"
      }
    },
    {
      "ruleId": "SG207",
      "ruleIndex": 14,
      "level": "warning",
      "message": {
        "text": "sg-web/low: 1500 ports of tcp are open to ::/0; open the ports that are served."
      },
      "locations": [
        {
          "logicalLocations": [
            {
              "fullyQualifiedName": "sg-web/low",
              "kind": "resource"
            }
          ],
          "physicalLocation": {
            "artifactLocation": {
              "uri": "policy.json"
            },
            "region": {
              "startLine": 9,
              "startColumn": 111
            }
          }
        }
      ],
      "partialFingerprints": {
        "tapguardLint/v1": "905b55fcdab7402cd3894f6e4e2eb5a2"
      }
    }
  ]

# a policy that is not valid
$ echo '{"version": 1, "groups": {"sg-x": {"ingres": []}}}' | sgctl lint -
! -:1:36: /groups/sg-x/ingres: unknown field "ingres"; did you mean "ingress"?
= 1

# nothing found
$ echo '{"version": 1}' | sgctl lint -
  OK: no findings

# findings are accepted: by a file, which survives moves and keeps what people note in it
$ sgctl lint policy.json --write-baseline accepted.json
  accepted.json: 14 findings accepted
$ sgctl lint policy.json --baseline accepted.json
  OK: no findings; 15 accepted
$ (echo; echo; cat policy.json) >moved.json; sgctl lint moved.json --baseline accepted.json
  OK: no findings; 15 accepted
$ sed -i 's/\["any"\], "description": "visitors" }/["::\/0"], "description": "visitors" }/' policy.json; sgctl lint policy.json --baseline accepted.json
  SEVERITY CODE  SUBJECT            PLACE           MESSAGE
  warning  SG102 sg-web/https       policy.json:6:9 sg-web/low allows all of it, and more
  warning  SG102 sg-web/https-again policy.json:7:9 sg-web/low allows all of it, and more
  
  2 warnings; 14 accepted
! sgctl: warning: 1 finding of accepted.json is gone: --write-baseline writes it anew
$ jq -c '.findings[0].reason = "ticket 4711" | .findings[0]' accepted.json
  {"fingerprint":"d7ddadc94c61eaf22a4810d0de271edb","code":"SG101","subject":"sg-web/https-again","message":"allows exactly what sg-web/https allows","reason":"ticket 4711"}
$ sgctl lint policy.json --baseline /nonexistent.json
! /nonexistent.json: cannot open it: No such file or directory
= 1
$ echo '{}' >wrong.json; sgctl lint policy.json --baseline wrong.json --json
  {
    "errors": [
      {
        "code": "baseline",
        "file": "wrong.json",
        "line": null,
        "column": null,
        "pointer": "/version",
        "message": "no baseline of version 1",
        "fix": "sgctl lint --write-baseline writes one"
      }
    ]
  }
! wrong.json: /version: no baseline of version 1; sgctl lint --write-baseline writes one
= 1

# what a check means
$ sgctl help lint
  usage: sgctl lint PATH... [OPTION...]
  
  Find what is wrong or pointless in policy files.
  
  Prints findings, each with a code, its place and what is wrong; -o +FIX adds
  what to do. Exits 1 when one is at least as severe as --fail-on says. Findings
  are accepted by --baseline, or in the policy: "x-lint-ignore": {"SG201": "the
  reason"} in any object holds for it and all within.
  
    sgctl lint --fail-on warning --baseline accepted.json /etc/tapguard
  
  Options:
    -o, --output COLUMNS  which columns: ID,STATE; +MAC adds one to the usual ones
    --fail-on LEVEL       exit 1 from error (default), warning, info; or never
    --severity LEVEL      leave out what is less: error, warning, info (default)
    --only CODES          these checks alone: SG101,SG102
    --ignore CODES        not these checks
    --format FORMAT       table (default), json, gcc (lines for editors), sarif
    --baseline FILE       leave out the findings that this file accepts
    --write-baseline FILE accept all that is found: write it to this file
    --live                ask the daemon too: counters, what is attached by hand
    --explain CODE        what a check means, instead
  
  Global options:
    --json                one JSON document on standard output
    --socket PATH         API socket (TAPGUARD_SOCKET, /run/tapguard/api.sock)
    -h, --help            help about the command
    -V, --version         print the version
  
  Checks:
    SG101  warning  a rule that repeats another one
    SG102  warning  a rule that lies within another one
    SG103  warning  a rule that several others cover together
    SG104  info     a peer that is allowed already
    SG105  info     a rule that other groups of the same interfaces have
    SG106  warning  a rule that matches nothing
    SG107  warning  ICMP of the wrong family for a peer
    SG108  info     a rule that allowed nothing so far
    SG201  error    SSH is open to the world
    SG202  error    RDP is open to the world
    SG203  error    a port of administration is open to the world
    SG204  error    a database is open to the world
    SG205  error    every protocol is open to the world
    SG206  error    every port of a protocol is open to the world
    SG207  warning  a wide range of ports is open to the world
    SG208  warning  a risky port is open to the world
    SG209  info     HTTP without TLS is open to the world
    SG210  warning  a prefix of 1 to 7 bits
    SG211  info     everything may go out
    SG212  warning  egress rules that another group of the interface makes pointless
    SG213  info     every ICMP type is open to the world
    SG301  warning  a peer that is a group known by name only
    SG302  warning  a peer that is a prefix list known by name only
    SG303  warning  a group that nothing uses
    SG304  info     a group that no interface carries
    SG305  info     a group that allows nothing
    SG306  warning  a prefix list that no rule uses
    SG307  warning  a prefix list without entries
    SG308  info     a service of the policy that no rule uses
    SG309  info     a network whose groups may be named, and no rule does
    SG401  warning  sg-default allows something
    SG402  info     an interface carries sg-default
    SG403  warning  an interface without a mac
    SG404  warning  an interface whose senders are not checked
    SG405  warning  allowed_addresses is every address of a family
    SG406  warning  allowed_addresses is a prefix of 1 to 7 bits
    SG407  warning  allowed_addresses holds the address of another interface
    SG408  warning  an interface without an address
    SG501  info     more rules than a group may have in AWS
    SG502  info     more groups than an interface may carry in AWS
    SG503  info     more rules on an interface than AWS takes
    SG601  info     a group without a description
    SG602  info     a rule without a description
    SG603  info     a prefix list without a description
    SG901  warning  an x-lint-ignore that is not understood
    SG902  info     an x-lint-ignore that accepts nothing
$ sgctl lint --explain sg101
  SG101 duplicate-rule (warning)
  
  A rule that repeats another one.
  
  Both allow exactly the same packets, however they are written. Remove one: as
  long as the other stands, removing this one closes nothing.
$ sgctl lint --explain world-open-shh
! sgctl: there is no check "world-open-shh"; did you mean world-open-ssh?
! Try 'sgctl help lint'.
= 2

# wrong usage
$ sgctl lint
! sgctl: incomplete; usage: sgctl lint PATH... [OPTION...]
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --fail-on sometimes
! sgctl: --fail-on is error, warning, info or never, not "sometimes"
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --severity never
! sgctl: --severity is error, warning or info, not "never"
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --only SG999
! sgctl: there is no check "SG999"; sgctl help lint lists them
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --format xml
! sgctl: --format is table, json, gcc or sarif, not "xml"
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --json --format sarif
! sgctl: --json and --format sarif: use one of them
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json -o COLOUR
! sgctl: unknown column COLOUR; there are SEVERITY,CODE,SUBJECT,NETWORK,PLACE,MESSAGE,FIX,NAME,RULE,POINTER,FINGERPRINT
! Try 'sgctl help lint'.
= 2
$ sgctl lint policy.json --live
! sgctl: no rulesd answers on /nonexistent/tapguard.sock (No such file or directory); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1

# the examples
$ cd $examples; for policy in *.json two-networks; do sgctl lint --format gcc --severity warning $policy; done
  default-group.json:6:5: warning: sg-default: sg-default is not empty: 2 ingress and 1 egress rules; write "sg-default": {"ingress": [], "egress": []} [SG401]
  ipv6-only.json:9:53: warning: sg-mail/mail: 25/tcp (smtp) is open to ::/0; name the networks or the group that need it [SG208]
  prefix-lists.json:33:50: warning: sg-shop/s3: pl-s3 is external: it has no entries here; define the prefix list, or remove the peer [SG302]
