# Who may look at a project. Asked by oslo.policy.opa: `allow` is a bare boolean.
package identity.get_project

import rego.v1

required := {"role_missing", "scope_mismatch"}

met contains "role_missing" if data.lib.openstack.holds("reader")

met contains "scope_mismatch" if data.lib.openstack.in_scope

reasons := required - met

default allow := false

allow if count(reasons) == 0
