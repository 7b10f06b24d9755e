# Commands that have a name and nothing behind it yet say so, whatever options they are given.

$ sgctl events --follow
! sgctl: events is not supported yet
= 1
$ sgctl --json top
  {
    "errors": [
      {
        "code": "not-supported",
        "file": null,
        "line": null,
        "column": null,
        "pointer": null,
        "message": "top is not supported yet",
        "fix": null
      }
    ]
  }
! sgctl: top is not supported yet
= 1
$ sgctl flows export
! sgctl: flows export is not supported yet
= 1
$ sgctl help top | head -n 4
  usage: sgctl top
  
  Not supported yet.
  
