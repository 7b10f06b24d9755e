# Commands that have a name and nothing behind it yet say so, whatever options they are given.

$ sgctl flows export
! sgctl: flows export is not supported yet
= 1
