package os_compute_api.servers.delete_test

import rego.v1

import data.os_compute_api.servers.delete

good := {"target": {"project_id": "p"}, "credentials": {"roles": ["member"], "project_id": "p", "user_id": "u"}}

changed(by) := object.union(good, by)

test_allow if delete.allow with input as good

test_reasons_of_an_allow if {
	reasons := delete.reasons with input as good
	reasons == set()
}

test_another_project if {
	question := changed({"credentials": {"project_id": "q"}})
	delete.allow == false with input as question
	reasons := delete.reasons with input as question
	reasons == {"scope_mismatch"}
}

test_lower_role if {
	question := changed({"credentials": {"roles": ["other"]}})
	delete.allow == false with input as question
	reasons := delete.reasons with input as question
	reasons == {"role_missing"}
}

test_missing_facts if {
	delete.allow == false with input as {}
	delete.allow == false with input as object.remove(good, ["target"])
	delete.allow == false with input as object.remove(good, ["credentials"])
}
