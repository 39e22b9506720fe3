package os_compute_api.servers.index_test

import rego.v1

import data.os_compute_api.servers.index

good := {"target": {"project_id": "p"}, "credentials": {"roles": ["reader"], "project_id": "p", "user_id": "u"}}

changed(by) := object.union(good, by)

test_allow if index.allow with input as good

test_reasons_of_an_allow if {
	reasons := index.reasons with input as good
	reasons == set()
}

test_another_project if {
	question := changed({"credentials": {"project_id": "q"}})
	index.allow == false with input as question
	reasons := index.reasons with input as question
	reasons == {"scope_mismatch"}
}

test_lower_role if {
	question := changed({"credentials": {"roles": ["other"]}})
	index.allow == false with input as question
	reasons := index.reasons with input as question
	reasons == {"role_missing"}
}

test_missing_facts if {
	index.allow == false with input as {}
	index.allow == false with input as object.remove(good, ["target"])
	index.allow == false with input as object.remove(good, ["credentials"])
}
