package rules.roles_test

import rego.v1

import data.rules.roles

library := {
	"items": [
		{"roles": {"member": "reader", "reader": "reader"}},
		{"group": "exchange", "role": "reader"},
		{"left": "reader", "projects": {"d": {"p": {"until": 2000, "exhausted": false}, "full": {"until": 2000, "exhausted": true}}}},
		{"projects": {"d": {"full": {"until": 2000, "exhausted": true}}}},
		{"pairs": [["auditor", "manager"]]},
	],
	"of": {
		"map": {"role_map": 0}, "low": {"reader_unless": 1}, "quota": {"allocation": 2},
		"strict": {"allocation": 3}, "apart": {"separation": 4}, "both": {"role_map": 0, "reader_unless": 1},
	},
}

role(project, name) := {"entitlement": {"kind": "project", "domain": "d", "project": project, "role": name}, "rule": "r"}

asks(tenant, names) := {
	"subject": {"tenant": tenant, "groups": [{"name": name, "rule": "m"} | some name in names]},
	"context": {"time_s": 1000},
}

here(question, grant) := {lowered.entitlement.role |
	lowered := roles.lowered(grant) with input as question with data.fed.library as library
}

changes(question, grant) := found if found := roles.changes(grant) with input as question with data.fed.library as library

test_switched_off if here(asks("none", []), role("p", "member")) == {"member"}

test_other_kinds_stay_as_they_are if {
	session := {"entitlement": {"kind": "session"}, "rule": "r"}
	found := roles.lowered(session) with input as asks("map", []) with data.fed.library as library
	found == session
}

# 7
test_map if {
	here(asks("map", []), role("p", "member")) == {"reader"}
	here(asks("map", []), role("p", "reader")) == {"reader"}
	changes(asks("map", []), role("p", "member")) == {"role_lowered"}
	changes(asks("map", []), role("p", "reader")) == set()
}

test_a_role_off_the_map if {
	here(asks("map", []), role("p", "manager")) == set()
	changes(asks("map", []), role("p", "manager")) == {"role_lowered"}
}

# 8
test_reader_unless if {
	here(asks("low", []), role("p", "member")) == {"reader"}
	here(asks("low", ["exchange2"]), role("p", "member")) == {"reader"}
	here(asks("low", ["exchange"]), role("p", "member")) == {"member"}
	changes(asks("low", []), role("p", "member")) == {"reader_only"}
	changes(asks("low", ["exchange"]), role("p", "member")) == set()
}

test_missing_groups_leave_a_reader if {
	question := {"subject": {"tenant": "low"}, "context": {"time_s": 1000}}
	here(question, role("p", "member")) == {"reader"}
}

test_both if here(asks("both", []), role("p", "member")) == {"reader"}

# 20
test_allocation if {
	here(asks("quota", []), role("p", "member")) == {"member"}
	here(asks("quota", []), role("unnamed", "member")) == {"member"}
	here(asks("quota", []), role("full", "member")) == {"reader"}
	changes(asks("quota", []), role("full", "member")) == {"allocation_used_up"}
}

test_allocation_ends if {
	every time, left in {"1999": "member", "2000": "reader"} {
		question := object.union(asks("quota", []), {"context": {"time_s": to_number(time)}})
		here(question, role("p", "member")) == {left}
	}
}

test_nothing_is_left if here(asks("strict", []), role("full", "member")) == set()

test_missing_time_ends_an_allocation if {
	here({"subject": {"tenant": "quota"}}, role("p", "member")) == {"reader"}
}

# 28
objections(grant, all) := found if {
	found := roles.objections(grant, all) with input as asks("apart", []) with data.fed.library as library
}

test_both_roles_of_a_pair if {
	all := {role("p", "auditor"), role("q", "Manager"), role("p", "member")}
	objections(role("p", "auditor"), all) == {"separation_of_duties"}
	objections(role("q", "Manager"), all) == {"separation_of_duties"}
	objections(role("p", "member"), all) == set()
}

test_one_role_of_a_pair if objections(role("p", "auditor"), {role("p", "auditor"), role("q", "auditor")}) == set()

test_in_two_domains if {
	other := {"entitlement": {"kind": "project", "domain": "e", "project": "p", "role": "manager"}, "rule": "r"}
	objections(role("p", "auditor"), {role("p", "auditor"), other}) == set()
}

test_empty_input if {
	found := roles.lowered(role("p", "member")) with input as {} with data.fed.library as library
	found.entitlement.role == "member"
}

test_no_data if {
	found := roles.lowered(role("p", "member")) with input as asks("map", []) with data.fed as {}
	found.entitlement.role == "member"
}
