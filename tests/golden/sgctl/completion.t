# The scripts ask sgctl itself: commands, subjects, options, what an option may be, ids of the policy files named.

$ source <(sgctl completion bash); offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sgctl; echo "${COMPREPLY[@]}"; }
$ offer sgctl 'fl'
  flows flush
$ offer sgctl show 'p'
  prefix-lists
$ offer sgctl --socket /run/x trace --d
  --direction --dst
$ offer sgctl attach tap0 --no
  --no-spoof-guard
$ offer sgctl attach tap0 --hook ''
  auto xdp tcx tc
$ offer sgctl attach tap0 --hook = t
  tcx tc
$ offer sgctl graph --format 'm'
  mermaid
$ offer sgctl flush ''
  flows
$ offer sgctl completion ''
  bash zsh
$ offer sgctl flows --state 'e'
  established
$ offer sgctl trace --policy $examples/three-tier.json --interface 'w'
  web-1
$ offer sgctl trace --policy $examples/three-tier.json --interface = ''  | tr ' ' '\n' | sort
  app-1
  bastion-1
  db-1
  web-1
$ offer sgctl trace --policy /nonexistent.json --interface 'w'
  
$ offer sgctl help 'va'
  validate
$ offer sgctl nonsense ''
  validate lint plan apply patch confirm rollback attach detach wait show trace test flows flush stats verify events top fmt graph import export completion help

# What shells get: words with what they are, and where files may stand.
$ sgctl __complete validate ''
  :files
$ sgctl __complete 'roll'
  rollback	return to an earlier policy
$ sgctl __complete trace --exp
  --expect	exit 1 when the verdict is another

# zsh: _describe is its own function for candidates, here one that prints them.
$ zsh -fc 'compdef() { print "compdef $@" }; _describe() { print -l -- "${(@P)3}" }; _files() { print files }; source <(sgctl completion zsh); words=(sgctl fl); CURRENT=2; _sgctl; words=(sgctl fmt ""); CURRENT=3; _sgctl'
  compdef _sgctl sgctl
  flows:list live flows, each with the rule that allowed it
  flush:forget flows
  files

$ sgctl completion fish
! sgctl: completion knows bash and zsh, not "fish"
! Try 'sgctl help completion'.
= 2
