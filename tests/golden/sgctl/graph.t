# Who may reach whom: the formats, one network of several, many groups joined into few.

$ sgctl graph $examples/three-tier.json
  digraph tapguard {
    rankdir=LR;
    graph [fontname="sans-serif", fontsize=11, ranksep=0.9];
    node [shape=box, style="rounded,filled", color="#555555", fontname="sans-serif", fontsize=11];
    edge [fontname="sans-serif", fontsize=9];
    n0 [label="sg-app\napp-1", fillcolor="#d7e8fa"];
    n1 [label="sg-bastion\nbastion-1", fillcolor="#d7e8fa"];
    n2 [label="sg-db\ndb-1\nopens nothing", fillcolor="#d7e8fa"];
    n3 [label="sg-web\nweb-1", fillcolor="#d7e8fa"];
    n4 [label="pl-office\nprefix list", shape=note, style=filled, fillcolor="#f4f0dc"];
    n5 [label="anywhere", shape=ellipse, fillcolor="#fde8d0"];
    n3 -> n0 [label="tcp 8080", edgetooltip="sg-app/app", color="#2c4a6e", fontcolor="#2c4a6e"];
    n1 -> n0 [label="ping\nssh", edgetooltip="sg-app/ping, sg-app/ssh", color="#2c4a6e", fontcolor="#2c4a6e"];
    n4 -> n1 [label="ssh", edgetooltip="sg-bastion/ssh", color="#2c4a6e", fontcolor="#2c4a6e"];
    n1 -> n1 [label="ping", edgetooltip="sg-bastion/ping", color="#2c4a6e", fontcolor="#2c4a6e"];
    n0 -> n2 [label="tcp 5432", edgetooltip="sg-db/postgresql", color="#2c4a6e", fontcolor="#2c4a6e"];
    n1 -> n2 [label="ping\nssh", edgetooltip="sg-db/ping, sg-db/ssh", color="#2c4a6e", fontcolor="#2c4a6e"];
    n5 -> n3 [label="http\nhttps", edgetooltip="sg-web/http, sg-web/https", color="#2c4a6e", fontcolor="#2c4a6e"];
    n1 -> n3 [label="ping\nssh", edgetooltip="sg-web/ping, sg-web/ssh", color="#2c4a6e", fontcolor="#2c4a6e"];
  }
$ sgctl graph --format mermaid $examples/two-networks
  flowchart LR
    n0("blue:sg-db<br/>blue-db<br/>opens nothing")
    n1("blue:sg-web<br/>blue-web")
    n2(["anywhere"])
    n3["blue:169.254.169.254 tcp 80<br/>exempt endpoint: no group filters it"]
    n4("red:sg-db<br/>red-db")
    n5("red:sg-web<br/>red-web")
    n1 -->|"mysql"| n0
    n2 -->|"https"| n1
    n5 -->|"mysql"| n4
    n2 -->|"https"| n5
$ sgctl graph --format mermaid --network red $examples/two-networks
  flowchart LR
    n0("red:sg-db<br/>red-db")
    n1("red:sg-web<br/>red-web")
    n2(["anywhere"])
    n1 -->|"mysql"| n0
    n2 -->|"https"| n1
$ sgctl graph --format mermaid "$data/graph.json"
  flowchart LR
    n0("sg-a<br/>a-1")
    n1("sg-b<br/>b-1, b-2, b-3, b-4 and 1 more")
    n2["any IPv4"]
    n3["10.0.0.9"]
    n4(["anywhere"])
    n5("sg-c<br/>external: known by name only")
    n6[/"pl-x<br/>prefix list"/]
    n7("sg-default<br/>0 interfaces")
    n8["169.254.169.254 tcp 80<br/>exempt endpoint: no group filters it"]
    n2 -->|"tcp 22, 8000-8080"| n0
    n3 -->|"tcp 22, 8000-8080"| n0
    n0 -.->|"udp 53"| n1
    n0 -.->|"udp 53"| n4
    n0 -.->|"tcp 443 #40;its egress does not let it out#41;"| n1
    n5 -->|"icmp echo-request"| n1
    n1 -->|"gre"| n1
    n6 -->|"gre"| n1
    n7 -->|"gre"| n1
    n7 -->|"all"| n7
$ sgctl graph --json $examples/three-tier.json | jq -c '.nodes[2], .edges[1]'
  {"id":2,"kind":"group","network":"default","names":["sg-db"],"interfaces":1,"external":false,"opens_nothing":true}
  {"from":1,"to":0,"direction":"ingress","what":["ping","ssh"],"rules":["sg-app/ping","sg-app/ssh"],"blocked":false,"some":false}
$ sgctl graph --format svg $examples/web-server.json | grep -c '<g id="edge'
  4
$ sgctl graph --format html "$data/graph.json" | grep -A3 '<table'
  <table><tr><th>network</th><th>rule</th><th>direction</th><th>what</th><th>peers</th><th>description</th></tr>
  <tr><td>default</td><td>sg-a/in</td><td>ingress</td><td>tcp 22, 8000-8080</td><td>0.0.0.0/0, 10.0.0.9</td><td>&lt;b&gt;&quot;&amp; x</td></tr>
  <tr><td>default</td><td>sg-a/out</td><td>egress</td><td>udp 53</td><td>sg-b, any</td><td></td></tr>
  <tr><td>default</td><td>sg-b/blocked</td><td>ingress</td><td>tcp 443</td><td>sg-a</td><td></td></tr>

# Sixty teams with the same three tiers, and one group that knows two of them: what is alike is joined.
$ seq 0 59 | jq -s '{version: 1, groups: ([.[] | {"sg-web\(.)": {ingress: [{service: "https", from: ["any"]}]}, "sg-app\(.)": {ingress: [{protocol: "tcp", ports: [8080], from: ["sg-web\(.)"]}]}, "sg-db\(.)": {ingress: [{service: "mysql", from: ["sg-app\(.)"]}], egress: []}}] | add + {"sg-odd": {ingress: [{service: "ssh", from: ["sg-web3"]}]}})}' >many.json
$ sgctl graph --format mermaid --nodes 20 many.json
  flowchart LR
    n0("59 groups<br/>sg-app0<br/>sg-app1<br/>sg-app10<br/>sg-app11<br/>sg-app12<br/>sg-app13<br/>…<br/>0 interfaces")
    n1("59 groups<br/>sg-web0<br/>sg-web1<br/>sg-web10<br/>sg-web11<br/>sg-web12<br/>sg-web13<br/>…<br/>0 interfaces")
    n2("sg-app3<br/>0 interfaces")
    n3("sg-web3<br/>0 interfaces")
    n4("59 groups<br/>sg-db0<br/>sg-db1<br/>sg-db10<br/>sg-db11<br/>sg-db12<br/>sg-db13<br/>…<br/>0 interfaces<br/>opens nothing")
    n5("sg-db3<br/>0 interfaces<br/>opens nothing")
    n6("sg-odd<br/>0 interfaces")
    n7(["anywhere"])
    n1 -->|"some: tcp 8080"| n0
    n3 -->|"tcp 8080"| n2
    n0 -->|"some: mysql"| n4
    n2 -->|"mysql"| n5
    n3 -->|"ssh"| n6
    n7 -->|"https"| n1
    n7 -->|"https"| n3
$ sgctl graph --format mermaid --nodes 6 many.json
  flowchart LR
    n0("60 groups<br/>sg-app0<br/>sg-app1<br/>sg-app10<br/>sg-app11<br/>sg-app12<br/>sg-app13<br/>…<br/>0 interfaces")
    n1("59 groups<br/>sg-web0<br/>sg-web1<br/>sg-web10<br/>sg-web11<br/>sg-web12<br/>sg-web13<br/>…<br/>0 interfaces")
    n2("sg-web3<br/>0 interfaces")
    n3("60 groups<br/>sg-db0<br/>sg-db1<br/>sg-db10<br/>sg-db11<br/>sg-db12<br/>sg-db13<br/>…<br/>0 interfaces<br/>opens nothing")
    n4("sg-odd<br/>0 interfaces")
    n5(["anywhere"])
    n1 -->|"some: tcp 8080"| n0
    n2 -->|"some: tcp 8080"| n0
    n0 -->|"some: mysql"| n3
    n2 -->|"ssh"| n4
    n5 -->|"https"| n1
    n5 -->|"https"| n2
$ sgctl graph --nodes 1000 many.json | grep -c ' -> '
  181

$ sgctl graph --format png $examples/three-tier.json
! sgctl: unknown --format "png"; there are dot, mermaid, svg, html
! Try 'sgctl help graph'.
= 2
$ sgctl graph --nodes 0 $examples/three-tier.json
! sgctl: --nodes "0" is not a number above 0
! Try 'sgctl help graph'.
= 2
$ sgctl graph --json --format dot $examples/three-tier.json
! sgctl: --json and --format exclude each other
! Try 'sgctl help graph'.
= 2
$ sgctl graph --network blu $examples/two-networks
! sgctl: the policy has no network blu; did you mean blue?
= 1
$ PATH=$(dirname "$(which sgctl)") sgctl graph --format svg $examples/three-tier.json
! sgctl: graphviz's dot did not draw the graph: Failed to execute child process “dot” (No such file or directory); install graphviz, or take --format dot and draw it elsewhere
= 1
