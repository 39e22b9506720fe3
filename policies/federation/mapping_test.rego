package federation.mapping_test

import rego.v1

import data.federation.mapping

fed := {"tenants": {"acme": {"status": "active"}}}

staff := {"name": "staff", "rule": "m"}

good := {
	"v": 1,
	"subject": {
		"tenant": "acme", "upstream": "main", "issuer": "https://idp.example", "id": "x", "username": "anna",
		"groups": [staff], "extras": {}, "acr": null, "amr": [], "authenticated_at": 900, "client": false,
	},
	"login": {"subject": "anna", "email": null, "email_verified": false, "claims": {}},
}

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
	count(answer.groups) == 0
}

test_groups_are_kept if {
	answer := mapping.decision with input as good with data.fed as fed
	answer.allow == true
	answer.reasons == []
	answer.groups == {staff}
	answer.username_prefix == null
	answer.extras == {}
}

test_no_groups_is_no_refusal if {
	answer := mapping.decision with input as object.union(good, {"subject": {"groups": []}}) with data.fed as fed
	answer.allow == true
	answer.groups == set()
}

test_empty_input if {
	answer := mapping.decision with input as {} with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_no_data if {
	answer := mapping.decision with input as good with data.fed as {}
	refused(answer, ["tenant_unknown"])
}

test_missing_tenant if {
	who := object.union(object.remove(good, ["subject"]), {"subject": object.remove(good.subject, ["tenant"])})
	answer := mapping.decision with input as who with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_missing_groups if {
	who := object.union(object.remove(good, ["subject"]), {"subject": object.remove(good.subject, ["groups"])})
	answer := mapping.decision with input as who with data.fed as fed
	answer.allow == true
	answer.groups == set()
}

test_missing_claims if {
	answer := mapping.decision with input as object.remove(good, ["login"]) with data.fed as fed
	answer.groups == {staff}
}

# The rules of the library are asked (each is tested in its own file).
under(name, rule, question) := answer if {
	library := {"items": [rule], "of": {"acme": {name: 0}}}
	answer := mapping.decision with input as question with data.fed as object.union(fed, {"library": library})
}

test_library_drops_groups if {
	answer := under("accepted_groups", {"accept": ["scs-"], "refuse": []}, good)
	answer.groups == set()
	answer.dropped == [{"name": "staff", "reason": "group_not_accepted"}]
	social := under("untrusted_groups", {"upstreams": {"main": true}, "local": {"x": ["guests"]}}, good)
	social.groups == {{"name": "guests", "rule": "untrusted_groups"}}
	social.dropped == [{"name": "staff", "reason": "group_not_trusted"}]
}

test_library_gives_groups if {
	rule := {"claim": "e", "namespaces": ["urn:x"], "authorities": {"a": true}}
	said := object.union(good, {"login": {"claims": {"e": ["urn:x:group:vo#a", "urn:x:group:vo#b"]}}})
	answer := under("entitlements", rule, said)
	answer.groups == {staff, {"name": "vo", "rule": "entitlements"}}
	answer.dropped == [{"name": "urn:x:group:vo#b", "reason": "entitlement_of_other_authority"}]
}

test_library_refuses_workloads if {
	accounts := under("service_accounts", {"upstreams": {"main": true}, "accounts": {}, "lifetime_s": 9}, good)
	refused(accounts, ["workload_not_registered"])
	jobs := under("ci", {"upstreams": {"main": true}, "any_of": [{"ref": ["main"]}], "lifetime_s": 9}, good)
	refused(jobs, ["condition_failed"])
	said := object.union(good, {"login": {"claims": {"ref": "main"}}})
	answer := under("ci", {"upstreams": {"main": true}, "any_of": [{"ref": ["main"]}], "lifetime_s": 9}, said)
	answer.allow == true
	answer.extras == {"workload": ["ci"]}
}

test_library_keeps_facts_and_names_apart if {
	said := object.union(good, {"login": {"claims": {"act": {"sub": "b", "act": {"sub": "c"}}, "country": "DE"}}})
	chained := under("onward", {"most_hops": 1, "claim": "act"}, said)
	count(chained.extras.chain) == 2
	direct := under("onward", {"most_hops": 1, "claim": "act"}, good)
	direct.extras.chain == []
	kept := under("keep", {"claims": {"country": "country"}}, said)
	kept.extras == {"country": ["DE"]}
	named := under("name_prefix", {"prefix": "b:"}, good)
	named.username_prefix == "b:"
}
