# Help comes from the table of commands, on standard output, in any of the usual ways.

$ sgctl help
  usage: sgctl [OPTION...] COMMAND [ARGUMENT...]
  
  Security groups for the taps of virtual machines: asks and instructs rulesd.
  
  Commands:
    validate    check policy files, without a daemon
    lint        find what is wrong or pointless in policy files
    plan        show what apply would change
    apply       replace the policy, all or nothing
    patch       replace, add or remove single objects of the policy
    confirm     keep the policy that apply --confirm put on trial
    rollback    return to an earlier policy
    attach      filter a tap now and after restarts
    detach      stop filtering a tap that was attached by hand
    wait        wait until an interface is filtered
    show        show the present state
    trace       which rule allows a packet, or why none does
    test        check that a policy allows and denies what it should
    flows       list live flows, each with the rule that allowed it
    flush       forget flows
    stats       count packets by interface and drop reason
    verify      compare what rulesd believes with what the kernel holds
    events      show drops and new flows as they happen
    top         watch interfaces, drops and flows by the second
    fmt         rewrite policy files in canonical form
    graph       draw who may reach whom
    import      make a policy of another system's security groups
    export      print a policy in the words of another system
    completion  print a completion script for a shell
    help        help about sgctl or a command
  
  Options, before or after the command:
    --json                one JSON document on standard output
    --socket PATH         API socket (TAPGUARD_SOCKET, /run/tapguard/api.sock)
    -h, --help            help about the command
    -V, --version         print the version
  
  Exit status: 0 done, 1 failed, 2 wrong usage.
  sgctl help COMMAND tells more; so does sgctl(1).
$ sgctl --help | cmp - <(sgctl help)
$ sgctl help trace
  usage: sgctl trace --interface ID --direction ingress|egress --protocol P --src A[:PORT] --dst A[:PORT]
  
  Which rule allows a packet, or why none does.
  
  Of a packet that opens a flow: replies to an allowed flow pass without a rule.
  --frame takes the packet from a frame, --pcap every packet of a capture of the
  interface, with flows, and sums up what would have become of them. Exits 0 for
  either verdict unless --expect fails.
  
    sgctl trace --interface web-1 --direction ingress --protocol tcp \
        --src 192.0.2.1 --dst 10.0.0.5:443
  
  Options:
    --interface ID        whose rules (required)
    --direction ingress|egress  to the VM or from it
    --protocol P          tcp, udp, icmp, icmpv6, sctp, gre, esp, ah, number
    --src A               source: A, A:PORT or [v6]:PORT
    --dst A               destination, likewise
    --icmp-type T         number or name (default: echo-request)
    --icmp-code C         number or name (default: 0)
    --expect allow|deny   exit 1 when the verdict is another
    --frame HEX           instead of a packet: a frame of it in hexadecimal
    --pcap FILE           instead of a packet: a capture, summed up
    --policy PATH...      ask these files and directories instead of the daemon
    --host NAME           with --policy: refuse interfaces of other hosts
  
  Global options:
    --json                one JSON document on standard output
    --socket PATH         API socket (TAPGUARD_SOCKET, /run/tapguard/api.sock)
    -h, --help            help about the command
    -V, --version         print the version
$ sgctl trace --help | cmp - <(sgctl help trace)
$ sgctl help show
  usage: sgctl show status|groups|rules [SG]|interfaces|prefix-lists|members SG|services|generations
  
  Show the present state.
  
  Subjects:
    status                the daemon, its policy, and how much there is
    groups                security groups
                          -o GROUP, NETWORK, KIND, INGRESS, EGRESS, MEMBERS,
                             INTERFACES, DESCRIPTION
    rules                 rules with packet, byte and flow counters
                          -o RULE, NETWORK, DIR, PROTOCOL, PORTS, PEERS, PACKETS,
                             BYTES, FLOWS, LIVE, GROUP, SERVICE, DESCRIPTION
    interfaces            interfaces and whether they are filtered
                          -o ID, NETWORK, DEVICE, STATE, HOOK, GROUPS, ADDRESSES,
                             HOST, FLOWS, ERROR, ALLOWED, MAC, IFINDEX, SOURCE,
                             FLOODED, SPOOF-GUARD, VLANS, MAX-FLOWS
    prefix-lists          prefix lists
                          -o PREFIX-LIST, NETWORK, KIND, ENTRIES, DESCRIPTION
    members               the addresses that a group stands for
                          -o ADDRESS, INTERFACE, GROUP, NETWORK
    services              service presets (needs no daemon)
                          -o SERVICE, MATCHES, DESCRIPTION
    generations           policies that rollback can return to
                          -o GENERATION, TIME, SHA256, SOURCE
  
  Options:
    -o, --output COLUMNS  which columns: ID,STATE; +MAC adds one to the usual ones
    --network N           members and rules: the group of this network
  
  Global options:
    --json                one JSON document on standard output
    --socket PATH         API socket (TAPGUARD_SOCKET, /run/tapguard/api.sock)
    -h, --help            help about the command
    -V, --version         print the version
$ sgctl --version
  sgctl 0.1.0
