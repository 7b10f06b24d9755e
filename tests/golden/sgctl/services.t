# The table of services: wrapped at 80 columns, whole in a pipe, as the API has it in JSON.

$ tty80 sgctl show services | head -n 20
  SERVICE                       MATCHES                     DESCRIPTION
  active-directory              tcp/53, udp/53, tcp/88,     Windows domain
                                udp/88, udp/123, tcp/135,   controller: DNS,
                                udp/137-138, tcp/139,       Kerberos, LDAP, SMB,
                                tcp/389, udp/389, tcp/445,  RPC, NTP
                                udp/445, tcp/464, udp/464,  
                                tcp/636, tcp/3268-3269,     
                                tcp/9389, tcp/49152-65535   
  activemq                      tcp/5671, tcp/8883,         Apache ActiveMQ over
                                tcp/61614, tcp/61617,       TLS: AMQP, MQTT,
                                tcp/61619                   STOMP, OpenWire,
                                                            WebSocket
  aerospike                     tcp/3000-3003               Aerospike: service,
                                                            fabric, heartbeat
  afp                           tcp/548                     Apple Filing Protocol
  ajp                           tcp/8009                    Apache JServ Protocol
                                                            (Tomcat)
  alertmanager                  tcp/9093                    Prometheus
                                                            Alertmanager: web and
                                                            API
$ sgctl show services | grep -E '^(SERVICE|active-directory|dns|ping|ssh) '
  SERVICE                       MATCHES                                                                                                                                                                         DESCRIPTION
  active-directory              tcp/53, udp/53, tcp/88, udp/88, udp/123, tcp/135, udp/137-138, tcp/139, tcp/389, udp/389, tcp/445, udp/445, tcp/464, udp/464, tcp/636, tcp/3268-3269, tcp/9389, tcp/49152-65535 Windows domain controller: DNS, Kerberos, LDAP, SMB, RPC, NTP
  dns                           tcp/53, udp/53                                                                                                                                                                  Domain Name System
  ping                          icmp/echo-request, icmpv6/echo-request                                                                                                                                          Echo requests of both families
  ssh                           tcp/22                                                                                                                                                                          Secure shell, SFTP, SCP
$ sgctl show services -o matches,service | grep -w dns
  tcp/8600, udp/8600                                                                                                                                                              consul-dns
  tcp/53, udp/53                                                                                                                                                                  dns
  udp/853                                                                                                                                                                         dns-over-quic
  tcp/853                                                                                                                                                                         dns-over-tls
$ sgctl show services --json | python3 -c 'import json,sys; print([s for s in json.load(sys.stdin) if s["name"] == "dns"])'
  [{'name': 'dns', 'description': 'Domain Name System', 'matches': [{'protocol': 'tcp', 'ports': '53'}, {'protocol': 'udp', 'ports': '53'}]}]
