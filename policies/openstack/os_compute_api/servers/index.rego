# Who may list servers. Asked by oslo.policy.opa: `allow` is a bare boolean.
package os_compute_api.servers.index

import rego.v1

required := {"role_missing", "scope_mismatch"}

met contains "role_missing" if data.lib.openstack.holds("reader")

met contains "scope_mismatch" if data.lib.openstack.in_scope

reasons := required - met

default allow := false

allow if count(reasons) == 0
