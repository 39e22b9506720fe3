# What a role is worth in OpenStack's own rules: reader < member < manager < admin, on the project, the domain or
# the system that the token is scoped to.
package lib.openstack

import rego.v1

ranks := {"reader": 0, "member": 1, "manager": 2, "admin": 3}

holds(role) if {
	some held in input.credentials.roles
	ranks[lower(held)] >= ranks[role]
}

# The projects that the target names, by the keys that services use. One that names two is nobody's.
projects contains id if {
	some key in ["project_id", "tenant_id", "target.project.id"]
	id := input.target[key]
	is_string(id)
}

domains contains id if {
	some key in ["domain_id", "target.project.domain_id", "target.domain.id"]
	id := input.target[key]
	is_string(id)
}

in_project if {
	count(projects) == 1
	input.credentials.project_id in projects
}

in_domain if {
	count(domains) == 1
	input.credentials.domain_id in domains
}

in_system if input.credentials.system_scope == "all"

in_scope if in_project

in_scope if in_domain

in_scope if in_system
