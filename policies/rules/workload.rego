# Rules 22 and 23, at mapping: workloads that sign in with a token of their platform.
package rules.workload

import rego.v1

# 22 service_accounts: from these clusters only accounts that are registered, each with its groups.
required contains "workload_not_registered" if data.rules.on.mine.service_accounts

met contains "workload_not_registered" if {
	object.get(data.rules.on.mine.service_accounts.upstreams, input.subject.upstream, false) == false
}

met contains "workload_not_registered" if data.rules.on.mine.service_accounts.accounts[account]

account := concat(":", [parts[2], parts[3]]) if {
	data.rules.on.mine.service_accounts.upstreams[input.subject.upstream]
	parts := split(input.login.subject, ":")
	count(parts) == 4
	parts[0] == "system"
	parts[1] == "serviceaccount"
}

groups contains {"name": name, "rule": "service_accounts"} if {
	some name in data.rules.on.mine.service_accounts.accounts[account]
}

# 23 ci: all claims of one condition hold; branch, tag and environment among them.
required contains "condition_failed" if data.rules.on.mine.ci

met contains "condition_failed" if {
	object.get(data.rules.on.mine.ci.upstreams, input.subject.upstream, false) == false
}

met contains "condition_failed" if {
	some condition in data.rules.on.mine.ci.any_of
	count(condition) > 0
	every claim, patterns in condition {
		some value in data.lib.claims.values(input.login.claims, claim)
		some pattern in patterns
		data.lib.claims.matches(value, pattern)
	}
}

unmet := required - met

# Kept for the decisions that follow: which workload it is.
kind contains "service_account" if account

kind contains "ci" if data.rules.on.mine.ci.upstreams[input.subject.upstream]

# How long what a workload gets may live.
lives contains seconds if {
	"service_account" in input.subject.extras.workload
	seconds := data.rules.on.mine.service_accounts.lifetime_s
}

lives contains seconds if {
	"ci" in input.subject.extras.workload
	seconds := data.rules.on.mine.ci.lifetime_s
}
