# Rules 15 to 19 and 21: what must hold of the organisation that people come from.
package rules.partner

import rego.v1

# 15 trust_mark, at sign-in: the organisation holds one of these marks, and it has not run out.
required contains "trust_mark_missing" if data.rules.on.mine.trust_mark

met contains "trust_mark_missing" if {
	some held in data.rules.on.mine.trust_mark.held
	data.rules.on.mine.trust_mark.any_of[held.mark]
	input.context.time_s < held.until
}

# 16 trust_chain, at sign-in: from the upstream's issuer to a pinned anchor, with no link run out.
required contains "trust_chain_invalid" if data.rules.on.mine.trust_chain

met contains "trust_chain_invalid" if {
	chain := data.rules.on.mine.trust_chain.chain
	chain[0].entity == input.subject.issuer
	data.rules.on.mine.trust_chain.anchors[chain[count(chain) - 1].entity]
	every link in chain {
		input.context.time_s < link.until
	}
}

# 17 participant_credential, at sign-in: a Gaia-X credential of a known registry, valid and not revoked.
required contains "participant_credential_invalid" if data.rules.on.mine.participant_credential

met contains "participant_credential_invalid" if {
	credential := data.rules.on.mine.participant_credential
	credential.registries[credential.issuer]
	credential.revoked == false
	input.context.time_s < credential.until
}

unmet := required - met

# 18 jurisdiction, for grants: each tag of a project or target allows the organisation's jurisdiction.
objections(grant) := {"jurisdiction_not_allowed" | some tag in (tags(grant) - allowed)}

tags(grant) := {tag |
	some tag in data.rules.on.mine.jurisdiction.projects[grant.entitlement.domain][grant.entitlement.project]
} | {tag |
	grant.entitlement.kind
	some tag in data.rules.on.mine.jurisdiction.targets[input.request.target]
}

allowed contains tag if {
	some tag, places in data.rules.on.mine.jurisdiction.tags
	data.rules.on.mine.jurisdiction.of in places
}

# 19 contract, at each access: inside its window, and not frozen.
required_now contains "contract_not_begun" if data.rules.on.mine.contract

required_now contains "contract_ended" if data.rules.on.mine.contract

required_now contains "partner_suspended" if data.rules.on.mine.contract

met_now contains "contract_not_begun" if input.context.time_s >= data.rules.on.mine.contract.from

met_now contains "contract_ended" if input.context.time_s < data.rules.on.mine.contract.until

met_now contains "partner_suspended" if data.rules.on.mine.contract.frozen == false

# 21 onward, at each access: how many gateways lie between (`extras.chain`, kept at mapping).
required_now contains "onward_federation_forbidden" if data.rules.on.mine.onward

met_now contains "onward_federation_forbidden" if count(input.subject.extras.chain) <= data.rules.on.mine.onward.most_hops

met_now contains "onward_federation_forbidden" if input.subject.client == true

unmet_now := required_now - met_now
