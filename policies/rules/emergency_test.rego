package rules.emergency_test

import rego.v1

import data.rules.emergency

manager := {"kind": "project", "domain": "acme", "project": "p", "role": "manager"}

approval(by, until) := {"ticket": "INC-1", "until": until, "by": by}

library := {
	"items": [
		{
			"needed": 2, "lifetime_s": 3600, "approvers": {"boss": true, "chief": true, "anna": true},
			"grants": [{"target": "openstack", "entitlement": manager}],
			"approvals": {
				"anna": [approval(["boss", "chief"], 2000)], "one": [approval(["boss"], 2000)],
				"twice": [approval(["boss", "boss"], 2000)], "stranger": [approval(["boss", "nobody"], 2000)],
				"late": [approval(["boss", "chief"], 1000)],
			},
		},
		{
			"needed": 2, "lifetime_s": 3600, "approvers": {"boss": true, "anna": true},
			"grants": [{"target": "openstack", "entitlement": manager}],
			"approvals": {"anna": [approval(["boss", "anna"], 2000)]},
		},
	],
	"of": {"acme": {"emergency": 0}, "own": {"emergency": 1}},
}

asks(id) := {"subject": {"tenant": "acme", "id": id}, "context": {"time_s": 1000}, "request": {"target": "openstack"}}

grants(question) := found if found := emergency.grants with input as question with data.fed.library as library

unmet(question) := found if found := emergency.unmet with input as question with data.fed.library as library

test_approved if {
	grants(asks("anna")) == {{"entitlement": manager, "rule": "emergency"}}
	unmet(asks("anna")) == set()
	obligations := emergency.obligations with input as asks("anna") with data.fed.library as library
	obligations == {"emergency_access"}
	lives := emergency.lives with input as asks("anna") with data.fed.library as library
	lives == {3600, 1000}
}

test_at_another_target if grants(object.union(asks("anna"), {"request": {"target": "grafana"}})) == set()

test_approved_by_too_few if {
	every id in ["one", "twice", "stranger"] {
		grants(asks(id)) == set()
		unmet(asks(id)) == {"approvals_missing"}
	}
}

test_nobody_approves_their_own if {
	question := object.union(asks("anna"), {"subject": {"tenant": "own"}})
	grants(question) == set()
	unmet(question) == {"approvals_missing"}
}

test_it_ends if {
	count(grants(object.union(asks("anna"), {"context": {"time_s": 1999}}))) == 1
	grants(object.union(asks("anna"), {"context": {"time_s": 2000}})) == set()
	grants(asks("late")) == set()
}

test_nobody_asked_for_it if {
	grants(asks("berta")) == set()
	unmet(asks("berta")) == set()
}

test_missing_facts if {
	every name in ["context", "request"] {
		grants(object.remove(asks("anna"), [name])) == set()
	}
	grants({"subject": {"tenant": "acme"}}) == set()
}

test_empty_input if grants({}) == set()

test_no_data if {
	found := emergency.grants with input as asks("anna") with data.fed as {}
	found == set()
}
