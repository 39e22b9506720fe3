package federation.admin_test

import rego.v1

import data.federation.admin

good := {
	"v": 1,
	"identity": "administrator",
	"method": "POST",
	"path": ["admin", "v1", "keys", "rotate"],
	"context": {"time_s": 1000, "client_ip": "10.1.2.3", "reference": "r"},
}

fed := {"admin": {"networks": ["10.1.0.0/16", "2001:db8::/32"]}}

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
}

test_administrator if {
	answer := admin.decision with input as good with data.fed as {}
	answer == {"allow": true, "reasons": [], "obligations": []}
}

test_inside_the_network if {
	every address in ["10.1.0.0", "10.1.255.255", "2001:db8::1"] {
		question := object.union(good, {"context": {"client_ip": address}})
		answer := admin.decision with input as question with data.fed as fed
		answer.allow == true
	}
}

test_outside_the_network if {
	every address in ["10.0.255.255", "10.2.0.0", "2001:db9::1"] {
		question := object.union(good, {"context": {"client_ip": address}})
		answer := admin.decision with input as question with data.fed as fed
		refused(answer, ["network_not_allowed"])
	}
}

test_unknown_address_is_outside if {
	question := object.union(good, {"context": {"client_ip": null}})
	answer := admin.decision with input as question with data.fed as fed
	refused(answer, ["network_not_allowed"])
}

test_no_networks_is_nowhere if {
	answer := admin.decision with input as good with data.fed as {"admin": {"networks": []}}
	refused(answer, ["network_not_allowed"])
}

test_somebody_else if {
	answer := admin.decision with input as object.union(good, {"identity": "anna"}) with data.fed as {}
	refused(answer, ["not_an_administrator"])
}

test_empty_input if {
	answer := admin.decision with input as {} with data.fed as fed
	refused(answer, ["network_not_allowed", "not_an_administrator"])
}

test_missing_context if {
	answer := admin.decision with input as object.remove(good, ["context"]) with data.fed as fed
	refused(answer, ["network_not_allowed"])
}
