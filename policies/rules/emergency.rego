# Rule 32 emergency: access for an hour at most, after two others have approved it, and never quietly.
package rules.emergency

import rego.v1

# Who approves stands in the configuration. Nobody approves their own.
approvers(approval) := {name |
	some name in approval.by
	data.rules.on.mine.emergency.approvers[name]
	name != input.subject.id
}

approved contains approval.ticket if {
	some approval in data.rules.on.mine.emergency.approvals[input.subject.id]
	input.context.time_s < approval.until
	count(approvers(approval)) >= data.rules.on.mine.emergency.needed
}

grants contains {"entitlement": given.entitlement, "rule": "emergency"} if {
	count(approved) > 0
	some given in data.rules.on.mine.emergency.grants
	given.target == input.request.target
}

lives contains seconds if {
	count(grants) > 0
	seconds := data.rules.on.mine.emergency.lifetime_s
}

lives contains seconds if {
	count(grants) > 0
	some approval in data.rules.on.mine.emergency.approvals[input.subject.id]
	approval.ticket in approved
	seconds := approval.until - input.context.time_s
}

obligations contains "emergency_access" if count(grants) > 0

# Asked for, and not approved by enough.
unmet contains "approvals_missing" if {
	data.rules.on.mine.emergency.approvals[input.subject.id]
	count(approved) == 0
}
