package federation.introspection_test

import rego.v1

import data.federation.introspection

good := {
	"v": 1,
	"client": {"id": "grafana", "audiences": ["grafana-api"]},
	"token": {"client_id": "portal", "audience": "grafana-api", "subject": "x", "tenant": "acme", "scopes": ["openid"]},
	"time_s": 1000,
}

refused(answer, reasons) if {
	answer.allow == false
	answer.reasons == reasons
}

test_for_an_audience_of_the_client if {
	answer := introspection.decision with input as good with data.fed as {}
	answer == {"allow": true, "reasons": [], "obligations": []}
}

test_for_the_client_itself if {
	seen := object.union(good, {"token": {"audience": "grafana"}})
	answer := introspection.decision with input as seen with data.fed as {}
	answer.allow == true
}

test_issued_to_the_client if {
	seen := object.union(good, {"token": {"audience": "elsewhere", "client_id": "grafana"}})
	answer := introspection.decision with input as seen with data.fed as {}
	answer.allow == true
}

test_for_somebody_else if {
	seen := object.union(good, {"token": {"audience": "keystone"}})
	answer := introspection.decision with input as seen with data.fed as {}
	refused(answer, ["audience_not_bound"])
}

test_empty_input if {
	answer := introspection.decision with input as {} with data.fed as {}
	refused(answer, ["audience_not_bound"])
}

test_missing_client if {
	answer := introspection.decision with input as object.remove(good, ["client"]) with data.fed as {}
	refused(answer, ["audience_not_bound"])
}

test_missing_token if {
	answer := introspection.decision with input as object.remove(good, ["token"]) with data.fed as {}
	refused(answer, ["audience_not_bound"])
}

test_missing_names_are_not_equal if {
	bare := {"client": {"audiences": []}, "token": {"subject": "x"}}
	answer := introspection.decision with input as bare with data.fed as {}
	refused(answer, ["audience_not_bound"])
}

test_library_binds_the_audience if {
	bound := {"library": {"items": [{}], "of": {"acme": {"audience_binding": 0}}}}
	issued := object.union(good, {"token": {"audience": "elsewhere", "client_id": "grafana"}})
	answer := introspection.decision with input as issued with data.fed as bound
	refused(answer, ["audience_not_bound"])
	own := introspection.decision with input as good with data.fed as bound
	own.allow == true
}
