package rules.partner_test

import rego.v1

import data.rules.partner

library := {
	"items": [
		{"any_of": {"sirtfi": true}, "held": [{"mark": "sirtfi", "until": 2000}, {"mark": "other", "until": 9000}]},
		{"anchors": {"https://anchor": true}, "chain": [
			{"entity": "https://idp", "until": 3000}, {"entity": "https://federation", "until": 2000},
			{"entity": "https://anchor", "until": 3000},
		]},
		{"registries": {"gx": true}, "issuer": "gx", "until": 2000, "revoked": false},
		{"of": "US", "tags": {"gdpr": ["DE", "FR"], "any": ["DE", "US"]}, "projects": {"acme": {"vault": ["gdpr"], "open": ["any"], "odd": ["unheard-of"]}}, "targets": {"cluster": ["gdpr"]}},
		{"from": 500, "until": 2000, "frozen": false},
		{"most_hops": 1},
		{"from": 500, "until": 2000, "frozen": true},
		{"registries": {"gx": true}, "issuer": "gx", "until": 2000, "revoked": true},
		{"registries": {"gx": true}, "issuer": "elsewhere", "until": 2000, "revoked": false},
	],
	"of": {
		"mark": {"trust_mark": 0}, "chain": {"trust_chain": 1}, "gaia": {"participant_credential": 2},
		"us": {"jurisdiction": 3}, "contract": {"contract": 4}, "hops": {"onward": 5}, "frozen": {"contract": 6},
		"revoked": {"participant_credential": 7}, "unknown": {"participant_credential": 8},
	},
}

at(tenant, time) := {
	"subject": {"tenant": tenant, "issuer": "https://idp", "client": false, "extras": {}},
	"context": {"time_s": time},
}

unmet(question) := found if found := partner.unmet with input as question with data.fed.library as library

now(question) := found if found := partner.unmet_now with input as question with data.fed.library as library

# 15
test_mark if {
	unmet(at("mark", 1999)) == set()
	unmet(at("mark", 2000)) == {"trust_mark_missing"}
}

# 16
test_chain if {
	unmet(at("chain", 1999)) == set()
	unmet(at("chain", 2000)) == {"trust_chain_invalid"}
}

test_chain_of_another_issuer if {
	unmet(object.union(at("chain", 1000), {"subject": {"issuer": "https://idp2"}})) == {"trust_chain_invalid"}
}

test_chain_that_ends_elsewhere if {
	short := {"items": [{"anchors": {"https://anchor": true}, "chain": [{"entity": "https://idp", "until": 3000}]}, {"anchors": {}, "chain": []}], "of": {"chain": {"trust_chain": 0}, "none": {"trust_chain": 1}}}
	every tenant in ["chain", "none"] {
		found := partner.unmet with input as at(tenant, 1000) with data.fed.library as short
		found == {"trust_chain_invalid"}
	}
}

# 17
test_credential if {
	unmet(at("gaia", 1999)) == set()
	unmet(at("gaia", 2000)) == {"participant_credential_invalid"}
	unmet(at("revoked", 1000)) == {"participant_credential_invalid"}
	unmet(at("unknown", 1000)) == {"participant_credential_invalid"}
}

# 18
project(name) := {"entitlement": {"kind": "project", "domain": "acme", "project": name, "role": "member"}, "rule": "r"}

objections(target, grant) := found if {
	question := object.union(at("us", 1000), {"request": {"target": target}})
	found := partner.objections(grant) with input as question with data.fed.library as library
}

test_jurisdiction if {
	objections("openstack", project("open")) == set()
	objections("openstack", project("untagged")) == set()
	objections("openstack", project("vault")) == {"jurisdiction_not_allowed"}
	objections("openstack", project("odd")) == {"jurisdiction_not_allowed"}
}

test_jurisdiction_of_a_target if {
	objections("cluster", {"entitlement": {"kind": "group", "group": "g"}, "rule": "r"}) == {"jurisdiction_not_allowed"}
}

# 19
test_contract if {
	now(at("contract", 499)) == {"contract_not_begun"}
	now(at("contract", 500)) == set()
	now(at("contract", 1999)) == set()
	now(at("contract", 2000)) == {"contract_ended"}
	now(at("frozen", 1000)) == {"partner_suspended"}
}

# 21
chained(chain) := object.union(at("hops", 1000), {"subject": {"extras": {"chain": chain}}})

test_hops if {
	now(chained([])) == set()
	now(chained(["b"])) == set()
	now(chained(["b", "b"])) == {"onward_federation_forbidden"}
}

test_a_chain_that_nobody_kept if now(at("hops", 1000)) == {"onward_federation_forbidden"}

test_a_client_has_no_chain if now(object.union(at("hops", 1000), {"subject": {"client": true}})) == set()

# Facts missing, rule by rule.
test_missing_facts if {
	login := {"mark": {"trust_mark_missing"}, "chain": {"trust_chain_invalid"}, "gaia": {"participant_credential_invalid"}}
	every tenant, reasons in login {
		unmet({"subject": {"tenant": tenant}}) == reasons
	}
	now({"subject": {"tenant": "contract"}}) == {"contract_not_begun", "contract_ended"}
	now({"subject": {"tenant": "hops"}}) == {"onward_federation_forbidden"}
}

test_empty_input if {
	unmet({}) == set()
	now({}) == set()
}

test_no_data if {
	found := partner.unmet with input as at("mark", 9000) with data.fed as {}
	found == set()
}
