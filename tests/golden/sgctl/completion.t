# The completion script is bash, and offers commands, subjects and options.

$ source <(sgctl completion bash); offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sgctl; echo "${COMPREPLY[@]}"; }
$ offer sgctl 'fl'
  flows flush
$ offer sgctl show 'p'
  prefix-lists
$ offer sgctl --socket /run/x trace --d
  --direction --dst
$ offer sgctl attach tap0 --no
  --no-spoof-guard
