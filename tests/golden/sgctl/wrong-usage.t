# Wrong usage is one line, where help is, and exit status 2; the nearest name is suggested.

$ sgctl
! sgctl: no command given
! Try 'sgctl help'.
= 2
$ sgctl shwo status
! sgctl: unknown command shwo; did you mean show?
! Try 'sgctl help'.
= 2
$ sgctl show sevices
! sgctl: cannot show "sevices"; did you mean services?
! Try 'sgctl help show'.
= 2
$ sgctl show everything
! sgctl: cannot show "everything"; there are status, groups, rules, interfaces, prefix-lists, members, services, generations
! Try 'sgctl help show'.
= 2
$ sgctl show status now
! sgctl: show status does not take "now"
! Try 'sgctl help show'.
= 2
$ sgctl show status -o ID
! sgctl: show status has no columns
! Try 'sgctl help show'.
= 2
$ sgctl show services -o NAME
! sgctl: unknown column NAME; there are SERVICE,MATCHES,DESCRIPTION
! Try 'sgctl help show'.
= 2
$ sgctl show services -o MATCH
! sgctl: unknown column MATCH; did you mean MATCHES?
! Try 'sgctl help show'.
= 2
$ sgctl show members
! sgctl: show members needs a group: sgctl show members sg-web
! Try 'sgctl help show'.
= 2
$ sgctl flows --protocl tcp
! sgctl: unknown option --protocl of flows; did you mean --protocol?
! Try 'sgctl help flows'.
= 2
$ sgctl --sokcet /run/x show status
! sgctl: unknown option --sokcet; did you mean --socket?
! Try 'sgctl help'.
= 2
$ sgctl flows --protocol tpc
! sgctl: unknown protocol "tpc"; did you mean tcp?
! Try 'sgctl help flows'.
= 2
$ sgctl flows --state establised
! sgctl: unknown state "establised"; did you mean established?
! Try 'sgctl help flows'.
= 2
$ sgctl flows --state open
! sgctl: unknown state "open"; there are new, syn_sent, syn_recv, established, fin_wait, close_wait, last_ack, time_wait, closed
! Try 'sgctl help flows'.
= 2
$ sgctl flows --src 10.0.0.1:80 --sport 81
! sgctl: --src "10.0.0.1:80" has a port, and so has --sport
! Try 'sgctl help flows'.
= 2
$ sgctl flush everything
! sgctl: flush knows flows, not "everything"
! Try 'sgctl help flush'.
= 2
$ sgctl apply
! sgctl: incomplete; usage: sgctl apply PATH... [--existing reevaluate|keep]
! Try 'sgctl help apply'.
= 2
$ sgctl apply --existing kepp policy.json
! sgctl: --existing "kepp" is neither reevaluate nor keep
! Try 'sgctl help apply'.
= 2
$ sgctl attach tap0 --id web-1
! sgctl: attach needs --address A
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id ../web-1 --address 10.0.0.3
! sgctl: --id "../web-1" is no id: letters, digits, '.', '_' and '-', at most 63
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id web-1 --address 10.0.0.300
! sgctl: --address "10.0.0.300" is not an IPv4 or IPv6 address
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id web-1 --address 10.0.0.3 --allowed 10.0.0.3/24
! sgctl: --allowed "10.0.0.3/24" has host bits set; right is 10.0.0.0/24
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id web-1 --address 10.0.0.3 --mac 01:00:00:00:00:01
! sgctl: --mac "01:00:00:00:00:01" is not a unicast MAC address like 52:54:00:00:00:01
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id web-1 --address 10.0.0.3 --hook tcpdump
! sgctl: --hook "tcpdump" is none of auto, xdp, tcx, tc
! Try 'sgctl help attach'.
= 2
$ sgctl attach tap0 --id web-1 --address 10.0.0.3 --vlan 4095
! sgctl: --vlan "4095" is not a number from 0 to 4094
! Try 'sgctl help attach'.
= 2
$ sgctl rollback last
! sgctl: generation "last" is not a whole number
! Try 'sgctl help rollback'.
= 2
$ sgctl trace --interface web-1 --direction ingress --protocol tcp --src 10.0.0.1 --dst 10.0.0.2
! sgctl: --dst needs a port for tcp: 10.0.0.2:PORT
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction ingress --protocol icmp --src 10.0.0.1 --dst 10.0.0.2:80
! sgctl: --dst has a port, but icmp has none
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction ingress --protocol tcp --src 10.0.0.1 --dst '[fd00::1]:80'
! sgctl: --src and --dst are not of one family
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction in --protocol icmp --src fd00::1 --dst fd00::2
! sgctl: --protocol icmp does not go with these addresses; right is icmpv6
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction up --protocol tcp --src 10.0.0.1 --dst 10.0.0.2:80
! sgctl: direction "up" is neither ingress nor egress
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction in --protocol icmp --icmp-type knock --src 10.0.0.1 --dst 10.0.0.2
! sgctl: unknown --icmp-type "knock"; right are numbers up to 255 and names such as echo-request
! Try 'sgctl help trace'.
= 2
$ sgctl trace --interface web-1 --direction in --protocol gre --src 10.0.0.1 --dst 10.0.0.2 --expect drop
! sgctl: --expect "drop" is neither allow nor deny
! Try 'sgctl help trace'.
= 2
$ sgctl fmt --check --sha256 x.json
! sgctl: --check and --sha256 exclude each other
! Try 'sgctl help fmt'.
= 2
$ sgctl fmt - x.json
! sgctl: "-" filters; it does not go with files
! Try 'sgctl help fmt'.
= 2
$ sgctl completion csh
! sgctl: completion knows bash and zsh, not "csh"
! Try 'sgctl help completion'.
= 2
$ sgctl help shwo
! sgctl: unknown command shwo; did you mean show?
! Try 'sgctl help'.
= 2
