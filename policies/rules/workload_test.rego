package rules.workload_test

import rego.v1

import data.rules.workload

library := {
	"items": [
		{"upstreams": {"cluster": true}, "accounts": {"ci:deployer": ["deployers"]}, "lifetime_s": 900},
		{
			"upstreams": {"gitlab": true}, "lifetime_s": 600,
			"any_of": [{"project_path": ["acme/app"], "ref": ["main", "release/*"], "ref_protected": ["true"]}],
		},
	],
	"of": {"acme": {"service_accounts": 0, "ci": 1}},
}

says(upstream, subject, claims) := {
	"subject": {"tenant": "acme", "upstream": upstream},
	"login": {"subject": subject, "claims": claims},
}

unmet(question) := found if found := workload.unmet with input as question with data.fed.library as library

names(question) := found if {
	groups := workload.groups with input as question with data.fed.library as library
	found := {group.name | some group in groups}
}

# 22
test_registered if {
	question := says("cluster", "system:serviceaccount:ci:deployer", {})
	unmet(question) == set()
	names(question) == {"deployers"}
}

test_not_registered if {
	subjects := [
		"system:serviceaccount:ci:other", "system:serviceaccount:prod:deployer", "system:serviceaccount:ci",
		"system:serviceaccount:ci:deployer:x", "deployer", "system:node:ci:deployer",
	]
	every subject in subjects {
		unmet(says("cluster", subject, {})) == {"workload_not_registered"}
		names(says("cluster", subject, {})) == set()
	}
}

test_a_person_of_another_upstream if {
	unmet(says("main", "anna", {})) == set()
	names(says("main", "system:serviceaccount:ci:deployer", {})) == set()
}

# 23
job := {"project_path": "acme/app", "ref": "main", "ref_protected": "true"}

test_protected_branch if {
	unmet(says("gitlab", "job", job)) == set()
	unmet(says("gitlab", "job", object.union(job, {"ref": "release/1"}))) == set()
	unmet(says("gitlab", "job", object.union(job, {"ref_protected": true}))) == set()
}

test_other_jobs if {
	others := [{"ref": "feature/x"}, {"ref": "release"}, {"ref_protected": "false"}, {"project_path": "acme/app2"}]
	every other in others {
		unmet(says("gitlab", "job", object.union(job, other))) == {"condition_failed"}
	}
}

test_each_claim_missing if {
	every name in ["project_path", "ref", "ref_protected"] {
		unmet(says("gitlab", "job", object.remove(job, [name]))) == {"condition_failed"}
	}
}

test_an_empty_condition_lets_nobody_in if {
	open := {"items": [{"upstreams": {"gitlab": true}, "any_of": [{}]}], "of": {"acme": {"ci": 0}}}
	found := workload.unmet with input as says("gitlab", "job", job) with data.fed.library as open
	found == {"condition_failed"}
}

# What is kept, and how long it lives.
test_kind if {
	kind := workload.kind with input as says("gitlab", "job", job) with data.fed.library as library
	kind == {"ci"}
}

lives(extras) := found if {
	question := {"subject": {"tenant": "acme", "extras": extras}}
	found := workload.lives with input as question with data.fed.library as library
}

test_lives if {
	lives({"workload": ["service_account"]}) == {900}
	lives({"workload": ["ci"]}) == {600}
	lives({}) == set()
}

test_missing_facts if {
	unmet({"subject": {"tenant": "acme"}}) == {"workload_not_registered", "condition_failed"}
}

test_empty_input if unmet({}) == set()

test_no_data if {
	found := workload.unmet with input as says("gitlab", "job", {}) with data.fed as {}
	found == set()
}
