package federation.exchange_test

import rego.v1

import data.federation.exchange

grant := {"entitlement": {"kind": "group", "group": "developers"}, "rule": "devs"}

fed := {
	"tenants": {"acme": {"status": "active"}},
	"rules": {"acme": {"cluster": {"*": {"staff": [{"grants": [grant], "lifetime_s": 300}]}}}},
}

good := {
	"v": 1,
	"subject": {
		"tenant": "acme", "upstream": "main", "issuer": "https://idp.example", "id": "x", "username": "anna",
		"groups": [{"name": "staff", "rule": "m"}], "extras": {}, "acr": null, "amr": ["pwd"],
		"authenticated_at": 900, "client": false,
	},
	"context": {"time_s": 1000, "client_ip": null, "reference": "r"},
	"request": {"target": "cluster", "kind": "kubernetes", "client": "fedctl", "only": null},
	"exchange": {
		"audience": "k8s", "client_audiences": ["*"], "token_client": "fedctl", "token_client_audiences": ["*"],
		"token_audience": "https://gate.example", "issuer": "https://gate.example", "scopes": ["openid"],
	},
}

changed(by) := object.union(good, {"exchange": by})

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
	count(answer.grants) == 0
}

test_allowed if {
	answer := exchange.decision with input as good with data.fed as fed
	answer.allow == true
	answer.reasons == []
	answer.grants == {grant}
	answer.lifetime_s == 300
}

test_audience_named_by_the_client if {
	answer := exchange.decision with input as changed({"client_audiences": ["k8s"]}) with data.fed as fed
	answer.allow == true
}

test_audience_of_another_client if {
	answer := exchange.decision with input as changed({"client_audiences": ["k8s2"]}) with data.fed as fed
	refused(answer, ["audience_not_bound"])
}

test_a_tools_own_token_is_no_key if {
	by := {"token_client": "grafana", "token_client_audiences": []}
	answer := exchange.decision with input as changed(by) with data.fed as fed
	refused(answer, ["audience_not_bound"])
}

test_a_token_of_a_client_that_may_reach_it if {
	by := {"token_client": "portal", "token_client_audiences": ["k8s"]}
	answer := exchange.decision with input as changed(by) with data.fed as fed
	answer.allow == true
}

test_a_token_for_elsewhere if {
	answer := exchange.decision with input as changed({"token_audience": "openstack"}) with data.fed as fed
	refused(answer, ["audience_not_bound"])
}

test_no_access if {
	who := object.union(good, {"subject": {"groups": []}})
	answer := exchange.decision with input as who with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

test_empty_input if {
	answer := exchange.decision with input as {} with data.fed as fed
	refused(answer, ["audience_not_bound", "tenant_unknown"])
}

test_no_data if {
	answer := exchange.decision with input as good with data.fed as {}
	refused(answer, ["tenant_unknown"])
}

# Each fact of the exchange, missing.
test_missing_facts if {
	every name in ["audience", "client_audiences", "token_audience", "issuer"] {
		facts := {"exchange": object.remove(changed({"client_audiences": ["k8s"]}).exchange, [name])}
		question := object.union(object.remove(good, ["exchange"]), facts)
		answer := exchange.decision with input as question with data.fed as fed
		refused(answer, ["audience_not_bound"])
	}
}

test_missing_token_client if {
	facts := object.remove(changed({"token_client_audiences": []}).exchange, ["token_client"])
	question := object.union(object.remove(good, ["exchange"]), {"exchange": facts})
	answer := exchange.decision with input as question with data.fed as fed
	refused(answer, ["audience_not_bound"])
}

test_missing_exchange if {
	answer := exchange.decision with input as object.remove(good, ["exchange"]) with data.fed as fed
	refused(answer, ["audience_not_bound"])
}

test_library_binds_the_client if {
	bound := object.union(fed, {"library": {"items": [{}], "of": {"acme": {"audience_binding": 0}}}})
	by := {"token_client": "portal", "token_client_audiences": ["k8s"]}
	answer := exchange.decision with input as changed(by) with data.fed as bound
	refused(answer, ["audience_not_bound"])
	own := exchange.decision with input as good with data.fed as bound
	own.allow == true
}
