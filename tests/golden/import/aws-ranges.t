# AWS's published ranges as prefix lists: 6,249 entries.

$ cd "$data/../../data/aws/prefix"
$ sgctl import aws prefix_lists_from_ip_ranges.json >"$work/lists.json"
$ jq -c ".prefix_lists | to_entries[] | [.key, .value[\"x-aws\"].PrefixListName, (.value.entries | length), .value.entries[0]]" "$work/lists.json"
  ["pl-1f0e161af775af816","com.amazonaws.us-east-1.s3.ipv6",6,"2600:1f68:8000::/39"]
  ["pl-3d36e295a07b19ae7","aws-amazon-all",4294,"3.0.0.0/15"]
  ["pl-4283f9a4301322afd","com.amazonaws.global.cloudfront.ipv6",24,"2400:7fc0:500::/40"]
  ["pl-45c78e70c1ae3ff22","aws-amazon-all.ipv6",765,"2400:6500:0:9::1/128"]
  ["pl-57c7fab66d4522ea9","aws-ec2-us-east-1",155,"3.2.0.0/24"]
  ["pl-6ca6f576fa06280c6","com.amazonaws.global.cloudfront",82,"13.32.0.0/15"]
  ["pl-821e4105816d4c0dc","aws-ec2-us-east-1.ipv6",32,"2406:da00:ff00::/64"]
  ["pl-c3b7e584b0ec481bc","com.amazonaws.us-east-1.s3",7,"3.5.0.0/19"]
  ["pl-d4067b5f0eb57a9c5","aws-amazon-us-east-1",853,"3.2.0.0/24"]
  ["pl-e73fd166df253dad1","aws-amazon-us-east-1.ipv6",45,"2406:da00:ff00::/64"]
  ["pl-fba65f80fe298efb0","com.amazonaws.us-east-1.dynamodb",13,"3.218.180.0/22"]
$ sgctl validate "$work/lists.json"
  OK: 0 groups, 0 rules, 0 interfaces
