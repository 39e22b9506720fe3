package rules.assurance_test

import rego.v1

import data.rules.assurance

rank := {"low": 0, "medium": 1, "high": 2}

library := {
	"items": [
		{"claim": "iap", "rank": rank, "minimum": 1},
		{"roles": {"manager": true}, "groups": {"operators": true}},
		{"max_age_s": 100},
		{"max_age_s": 100, "targets": {"openstack": true}},
		{"claim": "chain", "rank": rank, "minimum": 1},
	],
	"of": {
		"a": {"assurance": 0}, "m": {"mfa_for": 1}, "s": {"sign_in_age": 2},
		"t": {"sign_in_age": 3}, "c": {"chain_assurance": 4},
	},
}

asks(tenant, claims) := {"subject": {"tenant": tenant, "amr": ["pwd"], "authenticated_at": 900}, "login": {"claims": claims}}

unmet(question) := found if found := assurance.unmet with input as question with data.fed.library as library

# 11
test_enough if {
	unmet(asks("a", {"iap": ["low", "medium"]})) == set()
	unmet(asks("a", {"iap": "high"})) == set()
}

test_too_low if {
	every claims in [{"iap": "low"}, {"iap": []}, {"iap": ["unheard-of"]}, {"iap": "Medium"}, {}] {
		unmet(asks("a", claims)) == {"assurance_too_low"}
	}
}

# 14
test_the_weakest_link_is_strong_enough if {
	unmet(asks("c", {"chain": ["high", "medium"]})) == set()
	found := assurance.weakest with input as asks("c", {"chain": ["high", "medium"]}) with data.fed.library as library
	found == 1
}

test_one_weak_link if {
	every chain in [["high", "low"], ["high", "unheard-of"], [], "high", null] {
		unmet(asks("c", {"chain": chain})) == {"chain_assurance_too_low"}
	}
	unmet(asks("c", {})) == {"chain_assurance_too_low"}
}

# 12
role(name) := {"entitlement": {"kind": "project", "domain": "d", "project": "p", "role": name}, "rule": "r"}

group(name) := {"entitlement": {"kind": "group", "group": name}, "rule": "r"}

objections(question, grant) := found if {
	found := assurance.objections(grant) with input as question with data.fed.library as library
}

test_privileged_without_a_second_factor if {
	every grant in [role("manager"), role("Manager"), group("operators")] {
		objections(asks("m", {}), grant) == {"mfa_required"}
	}
}

test_privileged_with_a_second_factor if {
	every method in ["mfa", "http://schemas.microsoft.com/claims/multipleauthn"] {
		question := object.union(asks("m", {}), {"subject": {"amr": ["pwd", method]}})
		objections(question, role("manager")) == set()
	}
}

test_plain_roles if {
	objections(asks("m", {}), role("member")) == set()
	objections(asks("m", {}), {"entitlement": {"kind": "session"}, "rule": "r"}) == set()
}

test_missing_methods if objections({"subject": {"tenant": "m"}}, role("manager")) == {"mfa_required"}

# 13
aged(tenant, target, time) := {
	"subject": {"tenant": tenant, "authenticated_at": 900},
	"context": {"time_s": time},
	"request": {"target": target},
}

now(question) := found if found := assurance.unmet_now with input as question with data.fed.library as library

test_age if {
	now(aged("s", "openstack", 1000)) == set()
	now(aged("s", "openstack", 1001)) == {"sign_in_too_old"}
}

test_age_at_named_targets_alone if {
	now(aged("t", "openstack", 1001)) == {"sign_in_too_old"}
	now(aged("t", "grafana", 1001)) == set()
}

test_missing_times if {
	now({"subject": {"tenant": "s"}, "context": {"time_s": 1000}}) == {"sign_in_too_old"}
	now({"subject": {"tenant": "s", "authenticated_at": 900}}) == {"sign_in_too_old"}
	now(object.remove(aged("t", "grafana", 1001), ["request"])) == {"sign_in_too_old"}
}

test_empty_input if {
	unmet({}) == set()
	now({}) == set()
}

test_no_data if {
	found := assurance.unmet with input as asks("a", {}) with data.fed as {}
	found == set()
}
