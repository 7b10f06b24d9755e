# The canonical form: in place, as a filter, only checked; twice is the same as once.

$ cp "$data/loose.json" a.json; chmod 640 a.json; ln -s a.json link.json
$ sgctl fmt --check a.json
  a.json
= 1
$ sgctl fmt link.json
  link.json
$ cat a.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-web": {
        "ingress": [
          {
            "description": "wë\u001bb",
            "protocol": "tcp",
            "ports": ["80-82", 443],
            "from": ["any"]
          }
        ]
      }
    },
    "interfaces": {
      "b": {
        "addresses": ["fd00::5", "10.0.0.5"],
        "groups": ["sg-web"]
      }
    }
  }
$ sgctl fmt --check a.json
$ sgctl fmt a.json
$ sgctl fmt - <"$data/loose.json" | cmp - a.json
$ stat -c '%a %F' a.json link.json
  640 regular file
  777 symbolic link

# The digest is that of the meaning: the same before and after, and of the canonical text.

$ [ "$(sgctl fmt --sha256 "$data/loose.json")" = "$(sgctl fmt --sha256 a.json)" ] && [ "$(sha256sum <a.json)" = "$(sgctl fmt --sha256 - <a.json)  -" ] && echo same
  same
$ sgctl fmt --sha256 --json a.json | grep -o policy_sha256
  policy_sha256

# What is no policy stays as it is.

$ echo '{"version": 2}' >bad.json; sgctl fmt bad.json; cat bad.json
  {"version": 2}
! bad.json:1:13: /version: version 2; this tapguard reads version 1; use a newer one
$ sgctl fmt --json a.json
  []
$ cp "$data/loose.json" b.json; sgctl fmt --check --json b.json
  [
    "b.json"
  ]
= 1

# A file of a policy that is split: what it refers to may be elsewhere. The digest is that of a whole policy.
$ echo '{"version":1,"groups":{"sg-a":{"ingress":[{"protocol":"tcp","from":["sg-elsewhere"]}]}}}' >part.json
$ sgctl fmt part.json; cat part.json
  part.json
  {
    "version": 1,
    "network": "default",
    "groups": {
      "sg-a": {
        "ingress": [
          {
            "protocol": "tcp",
            "from": ["sg-elsewhere"]
          }
        ]
      }
    }
  }
$ sgctl fmt --check part.json
$ sgctl fmt --sha256 part.json
! part.json:9:20: /groups/sg-a/ingress/0/from/0: there is no group "sg-elsewhere"; define it under "groups", or declare it "external": true
= 1
$ echo '{"version":1,"groups":{"sg-a":{"ingress":[{"protocol":"tpc","from":["sg-elsewhere"]}]}}}' | sgctl fmt -
! -:1:55: /groups/sg-a/ingress/0/protocol: "tpc" is no protocol; did you mean "tcp"?
= 1
