package rules.groups_test

import rego.v1

import data.rules.groups

library := {
	"items": [
		{"accept": ["scs-"], "refuse": ["scs-local-"]},
		{"upstreams": {"github": true}, "local": {"x": ["guests"]}},
		{"prefix": "b:"},
	],
	"of": {"acme": {"accepted_groups": 0}, "social": {"untrusted_groups": 1}, "blue": {"name_prefix": 2}},
}

held(tenant, upstream, names) := {"subject": {
	"tenant": tenant, "upstream": upstream, "id": "x",
	"groups": [{"name": name, "rule": "m"} | some name in names],
}}

kept(question) := names if {
	found := groups.kept with input as question with data.fed.library as library
	names := {group.name | some group in found}
}

dropped(question) := found if found := groups.dropped with input as question with data.fed.library as library

# 3
test_prefixed if kept(held("acme", "main", ["scs-devs"])) == {"scs-devs"}

test_others_are_dropped if {
	question := held("acme", "main", ["scs-devs", "devs", "scs-local-ops", "xscs-devs"])
	kept(question) == {"scs-devs"}
	dropped(question) == {
		{"name": "devs", "reason": "group_not_accepted"},
		{"name": "scs-local-ops", "reason": "group_not_accepted"},
		{"name": "xscs-devs", "reason": "group_not_accepted"},
	}
}

test_the_prefix_alone_is_accepted if {
	kept(held("acme", "main", ["scs-", "scs-local", "scs"])) == {"scs-", "scs-local"}
}

# 5
test_social_groups_count_nothing if {
	question := held("social", "github", ["admins"])
	kept(question) == set()
	dropped(question) == {{"name": "admins", "reason": "group_not_trusted"}}
	given := groups.given with input as question with data.fed.library as library
	given == {{"name": "guests", "rule": "untrusted_groups"}}
}

test_another_upstream_of_the_tenant_is_trusted if kept(held("social", "corporate", ["devs"])) == {"devs"}

test_a_missing_upstream_is_not_trusted if {
	question := {"subject": {"tenant": "social", "groups": [{"name": "devs", "rule": "m"}]}}
	kept(question) == set()
}

test_nothing_local_for_others if {
	question := object.union(held("social", "github", []), {"subject": {"id": "y"}})
	given := groups.given with input as question with data.fed.library as library
	given == set()
}

# 29
test_prefix if {
	prefix := groups.prefix with input as held("blue", "main", []) with data.fed.library as library
	prefix == "b:"
}

test_no_prefix if {
	prefix := groups.prefix with input as held("acme", "main", []) with data.fed.library as library
	prefix == null
}

test_switched_off if {
	found := groups.kept with input as held("acme", "main", ["devs"]) with data.fed as {}
	count(found) == 1
}

test_empty_input if {
	kept({}) == set()
	dropped({}) == set()
}
