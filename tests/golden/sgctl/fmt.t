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
