package rules.entitlements_test

import rego.v1

import data.rules.entitlements

nine := {"claim": "entitlements", "namespaces": ["urn:mace:egi.eu"], "authorities": {"aai.egi.eu": true}}

library := {
	"items": [nine, {"roles": {"vm_operator": "member"}}],
	"of": {"egi": {"entitlements": 0, "entitlement_roles": 1}, "plain": {"entitlements": 0}},
}

says(tenant, urns) := {"subject": {"tenant": tenant}, "login": {"claims": {"entitlements": urns}}}

names(question) := found if {
	groups := entitlements.groups with input as question with data.fed.library as library
	found := {group.name | some group in groups}
}

dropped(question) := found if found := entitlements.dropped with input as question with data.fed.library as library

test_a_member if names(says("egi", ["urn:mace:egi.eu:group:vo.example.eu#aai.egi.eu"])) == {"vo.example.eu"}

test_a_group_and_a_role if {
	names(says("egi", ["urn:mace:egi.eu:group:vo.example.eu:sub:role=vm_operator#aai.egi.eu"])) == {"vo.example.eu:sub:member"}
}

test_a_role_without_a_table if {
	names(says("plain", ["urn:mace:egi.eu:group:vo:role=vm_operator#aai.egi.eu"])) == {"vo:vm_operator"}
}

test_a_role_off_the_table if {
	urn := "urn:mace:egi.eu:group:vo:role=root#aai.egi.eu"
	names(says("egi", [urn])) == set()
	dropped(says("egi", [urn])) == {{"name": urn, "reason": "entitlement_role_unknown"}}
}

test_another_authority if {
	urn := "urn:mace:egi.eu:group:vo#aai.evil.example"
	names(says("egi", [urn])) == set()
	dropped(says("egi", [urn])) == {{"name": urn, "reason": "entitlement_of_other_authority"}}
}

test_malformed if {
	urns := [
		"urn:mace:egi.eu:group:vo", "urn:mace:egi.eu:group:#aai.egi.eu", "urn:mace:egi.eu2:group:vo#aai.egi.eu",
		"urn:mace:egi.eu:group:vo#aai.egi.eu#aai.egi.eu", "urn:mace:egi.eu:group:vo:role=a:role=b#aai.egi.eu",
	]
	every urn in urns {
		names(says("egi", [urn])) == set()
		dropped(says("egi", [urn])) == {{"name": urn, "reason": "entitlement_malformed"}}
	}
}

test_one_bad_urn_spoils_no_other if {
	urns := ["urn:mace:egi.eu:group:vo:role=root#aai.egi.eu", "urn:mace:egi.eu:group:a#aai.egi.eu", "urn:mace:egi.eu:group:z#aai.egi.eu"]
	names(says("egi", urns)) == {"a", "z"}
}

test_missing_claim if {
	names({"subject": {"tenant": "egi"}, "login": {"claims": {}}}) == set()
	names({"subject": {"tenant": "egi"}}) == set()
}

test_empty_input if names({}) == set()

test_no_data if {
	found := entitlements.groups with input as says("egi", ["urn:mace:egi.eu:group:vo#aai.egi.eu"]) with data.fed as {}
	found == set()
}
