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
