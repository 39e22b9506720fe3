package lib.openstack_test

import rego.v1

import data.lib.openstack

on(target, credentials) := {"target": target, "credentials": credentials}

test_roles_imply_lower_ones if {
	every held, wanted in {"reader": "reader", "member": "reader", "Manager": "member", "admin": "manager"} {
		openstack.holds(wanted) with input as on({}, {"roles": [held]})
	}
}

test_lower_roles_do_not if {
	every held, wanted in {"reader": "member", "member": "manager", "other": "reader"} {
		found := {1 | openstack.holds(wanted) with input as on({}, {"roles": [held]})}
		count(found) == 0
	}
}

scoped(question) := {1 | openstack.in_scope with input as question}

test_scopes if {
	count(scoped(on({"project_id": "p"}, {"project_id": "p"}))) == 1
	count(scoped(on({"target.project.domain_id": "d"}, {"domain_id": "d"}))) == 1
	count(scoped(on({}, {"system_scope": "all"}))) == 1
}

test_other_scopes if {
	count(scoped(on({"project_id": "p"}, {"project_id": "q"}))) == 0
	count(scoped(on({"project_id": "p", "tenant_id": "q"}, {"project_id": "p"}))) == 0
	count(scoped(on({"project_id": null}, {"project_id": null}))) == 0
	count(scoped(on({}, {}))) == 0
	count(scoped({})) == 0
}
