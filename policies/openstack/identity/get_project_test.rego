package identity.get_project_test

import rego.v1

import data.identity.get_project

good := {"target": {"project_id": "p"}, "credentials": {"roles": ["reader"], "project_id": "p", "user_id": "u"}}

changed(by) := object.union(good, by)

test_allow if get_project.allow with input as good

test_reasons_of_an_allow if {
	reasons := get_project.reasons with input as good
	reasons == set()
}

test_another_project if {
	question := changed({"credentials": {"project_id": "q"}})
	get_project.allow == false with input as question
	reasons := get_project.reasons with input as question
	reasons == {"scope_mismatch"}
}

test_lower_role if {
	question := changed({"credentials": {"roles": ["other"]}})
	get_project.allow == false with input as question
	reasons := get_project.reasons with input as question
	reasons == {"role_missing"}
}

test_missing_facts if {
	get_project.allow == false with input as {}
	get_project.allow == false with input as object.remove(good, ["target"])
	get_project.allow == false with input as object.remove(good, ["credentials"])
}
