package rules.confinement_test

import rego.v1

import data.rules.confinement

fed := {
	"tenants": {"acme": {"status": "active", "domains": ["acme"]}},
	"library": {
		"items": [{}, {"names": {"owner": true}}, {}],
		"of": {"acme": {"own_domains": 0, "reserved_roles": 1, "audience_binding": 2}},
	},
}

who := {"subject": {"tenant": "acme"}}

role(domain, name) := {"entitlement": {"kind": "project", "domain": domain, "project": "p", "role": name}, "rule": "r"}

objections(grant) := found if found := confinement.objections(grant) with input as who with data.fed as fed

test_own_domain_and_plain_role if objections(role("acme", "member")) == set()

test_foreign_domain if objections(role("blue", "member")) == {"issuer_domain_mismatch"}

test_a_longer_name_is_foreign if objections(role("acme2", "member")) == {"issuer_domain_mismatch"}

test_reserved_roles if {
	every name in ["admin", "Admin", " admin ", "cluster-admin", "system", "system:masters", "owner"] {
		objections(role("acme", name)) == {"reserved_role"}
	}
	objections(role("acme", "administrator")) == set()
}

test_reserved_groups if {
	objections({"entitlement": {"kind": "group", "group": "system:masters"}, "rule": "r"}) == {"reserved_role"}
	objections({"entitlement": {"kind": "group", "group": "devs"}, "rule": "r"}) == set()
}

test_switched_off if {
	found := confinement.objections(role("blue", "admin")) with input as who with data.fed as {"tenants": fed.tenants}
	found == set()
}

test_no_domains_known_is_foreign if {
	found := confinement.objections(role("acme", "member")) with input as who with data.fed as {"library": fed.library}
	found == {"issuer_domain_mismatch"}
}

# 24
seen := {"client": {"id": "grafana", "audiences": ["api"]}, "token": {"tenant": "acme", "audience": "api", "client_id": "portal"}}

unmet(question) := found if found := confinement.unmet with input as question with data.fed as fed

test_audience_is_the_clients if {
	unmet(seen) == set()
	unmet(object.union(seen, {"token": {"audience": "grafana"}})) == set()
}

test_issued_to_the_client_and_for_elsewhere if {
	unmet(object.union(seen, {"token": {"audience": "keystone", "client_id": "grafana"}})) == {"audience_not_bound"}
}

test_exchange_by_the_same_client if {
	unmet(object.union(who, {"exchange": {"token_client": "a"}, "request": {"client": "a"}})) == set()
	unmet(object.union(who, {"exchange": {"token_client": "a"}, "request": {"client": "b"}})) == {"audience_not_bound"}
}

test_missing_facts_are_not_bound if {
	unmet(who) == {"audience_not_bound"}
	unmet({"token": {"tenant": "acme"}}) == {"audience_not_bound"}
}

test_empty_input if unmet({}) == set()
