package federation.login_test

import rego.v1

import data.federation.login

session := {"entitlement": {"kind": "session"}, "rule": "door"}

fed := {
	"tenants": {"acme": {"status": "active"}, "frozen": {"status": "suspended"}},
	"rules": {"acme": {"gateway": {"*": {"staff": [{"grants": [session], "lifetime_s": 600}]}}}},
}

good := {
	"v": 1,
	"subject": {
		"tenant": "acme", "upstream": "main", "issuer": "https://idp.example", "id": "x", "username": "anna",
		"groups": [{"name": "staff", "rule": "m"}], "extras": {}, "acr": null, "amr": ["pwd"],
		"authenticated_at": 900, "client": false,
	},
	"context": {"time_s": 1000, "client_ip": null, "reference": "r"},
	"request": {"target": "gateway", "kind": "gateway", "client": null, "only": null},
	"login": {"subject": "anna", "email": null, "email_verified": false, "claims": {}},
}

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
	count(answer.grants) == 0
}

test_allowed if {
	answer := login.decision with input as good with data.fed as fed
	answer.allow == true
	answer.reasons == []
	answer.grants == {session}
	answer.lifetime_s == 600
}

test_stranger if {
	who := object.union(good, {"subject": {"groups": []}})
	answer := login.decision with input as who with data.fed as fed
	refused(answer, ["no_matching_rule"])
}

test_suspended if {
	who := object.union(good, {"subject": {"tenant": "frozen"}})
	answer := login.decision with input as who with data.fed as fed
	refused(answer, ["tenant_suspended"])
}

test_empty_input if {
	answer := login.decision with input as {} with data.fed as fed
	refused(answer, ["nothing_granted", "tenant_unknown"])
}

test_no_data if {
	answer := login.decision with input as good with data.fed as {}
	refused(answer, ["tenant_unknown"])
}

# Each part of the question, missing.
test_missing_subject if {
	answer := login.decision with input as object.remove(good, ["subject"]) with data.fed as fed
	refused(answer, ["tenant_unknown"])
}

test_missing_login if {
	answer := login.decision with input as object.remove(good, ["login"]) with data.fed as fed
	refused(answer, ["nothing_granted"])
}

test_missing_request if {
	answer := login.decision with input as object.remove(good, ["request"]) with data.fed as fed
	refused(answer, ["no_matching_rule", "nothing_granted"])
}

test_another_target_is_no_sign_in if {
	question := object.union(good, {"request": {"kind": "keystone"}})
	answer := login.decision with input as question with data.fed as fed
	refused(answer, ["nothing_granted"])
}

# The rules of the library are asked (each is tested in its own file).
under(name, rule, question) := answer if {
	library := {"items": [rule], "of": {"acme": {name: 0}}}
	answer := login.decision with input as question with data.fed as object.union(fed, {"library": library})
}

test_library_at_the_door if {
	refused(under("membership", {"any_of": [{"claim": "a", "value": "b"}]}, good), ["membership_required"])
	member := object.union(good, {"login": {"claims": {"a": "b"}}})
	allowed := under("membership", {"any_of": [{"claim": "a", "value": "b"}]}, member)
	allowed.allow == true
	refused(under("assurance", {"claim": "a", "rank": {}, "minimum": 1}, good), ["assurance_too_low"])
	refused(under("trust_mark", {"any_of": {}, "held": []}, good), ["trust_mark_missing"])
	refused(under("contract", {"from": 0, "until": 1, "frozen": false}, good), ["contract_ended"])
}

test_library_obliges_at_the_door if {
	answer := under("no_local_users", {"upstreams": {"main": true}, "break_glass": {"anna": true}}, good)
	answer.allow == true
	answer.obligations == ["alert_break_glass"]
	refused(under("no_local_users", {"upstreams": {"main": true}, "break_glass": {}}, good), ["local_sign_in_forbidden"])
}
