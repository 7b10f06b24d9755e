# Without a daemon every online command says how to get one; with --json a document says it too.

$ sgctl show status
! sgctl: no rulesd answers on /nonexistent/tapguard.sock (No such file or directory); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1
$ sgctl flows --socket ./none.sock
! sgctl: no rulesd answers on ./none.sock (No such file or directory); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1
$ sgctl --json detach web-1
  {
    "errors": [
      {
        "code": "no-daemon",
        "file": null,
        "line": null,
        "column": null,
        "pointer": null,
        "message": "no rulesd answers on /nonexistent/tapguard.sock (No such file or directory)",
        "fix": "start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET"
      }
    ]
  }
! sgctl: no rulesd answers on /nonexistent/tapguard.sock (No such file or directory); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1
$ touch file.sock; sgctl --socket file.sock show status
! sgctl: no rulesd answers on file.sock (Connection refused); start one (sudo rulesd), or name its socket with --socket or TAPGUARD_SOCKET
= 1
