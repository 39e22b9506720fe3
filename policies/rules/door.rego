# Rules 4, 6, 26 and 27, at sign-in: who comes in at all.
package rules.door

import rego.v1

# 4 membership: one of these claims holds one of these values.
required contains "membership_required" if data.rules.on.mine.membership

met contains "membership_required" if {
	some wanted in data.rules.on.mine.membership.any_of
	wanted.value in data.lib.claims.values(input.login.claims, wanted.claim)
}

# 6 invitation: by issuer and subject, or by an address that the upstream vouches for; until a time.
required contains "not_invited" if data.rules.on.mine.invitation

met contains "not_invited" if {
	until := data.rules.on.mine.invitation.subjects[input.subject.issuer][input.login.subject]
	input.context.time_s < until
}

met contains "not_invited" if {
	input.login.email_verified == true
	is_string(input.login.email)
	until := data.rules.on.mine.invitation.emails[lower(input.login.email)]
	input.context.time_s < until
}

# 26 terms: accepted in this version, as a claim says or as it is kept here.
required contains "terms_not_accepted" if data.rules.on.mine.terms

met contains "terms_not_accepted" if {
	data.rules.on.mine.terms.version in data.lib.claims.values(input.login.claims, data.rules.on.mine.terms.claim)
}

met contains "terms_not_accepted" if data.rules.on.mine.terms.accepted[input.subject.id] == data.rules.on.mine.terms.version

# 27 no_local_users: the gateway's own people do not sign in for this tenant, but for those behind the glass.
required contains "local_sign_in_forbidden" if data.rules.on.mine.no_local_users

met contains "local_sign_in_forbidden" if {
	object.get(data.rules.on.mine.no_local_users.upstreams, input.subject.upstream, false) == false
}

met contains "local_sign_in_forbidden" if break_glass

break_glass if {
	data.rules.on.mine.no_local_users.upstreams[input.subject.upstream]
	data.rules.on.mine.no_local_users.break_glass[input.subject.username]
}

obligations contains "alert_break_glass" if break_glass

unmet := required - met
