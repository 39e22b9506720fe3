package identity.list_projects_test

import rego.v1

import data.identity.list_projects

good := {"target": {"project_id": "p"}, "credentials": {"roles": ["reader"], "project_id": "p", "user_id": "u"}}

changed(by) := object.union(good, by)

test_allow if list_projects.allow with input as good

test_reasons_of_an_allow if {
	reasons := list_projects.reasons with input as good
	reasons == set()
}

test_another_project if {
	question := changed({"credentials": {"project_id": "q"}})
	list_projects.allow == false with input as question
	reasons := list_projects.reasons with input as question
	reasons == {"scope_mismatch"}
}

test_lower_role if {
	question := changed({"credentials": {"roles": ["other"]}})
	list_projects.allow == false with input as question
	reasons := list_projects.reasons with input as question
	reasons == {"role_missing"}
}

test_missing_facts if {
	list_projects.allow == false with input as {}
	list_projects.allow == false with input as object.remove(good, ["target"])
	list_projects.allow == false with input as object.remove(good, ["credentials"])
}
