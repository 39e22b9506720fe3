# Whether a session's token becomes a credential for one target, and which.
#
# The access to the target decides what is given (federation/access). Here stands what must hold of the token
# and of the clients: a token for one place is no key to another.
package federation.exchange

import rego.v1

import data.federation.access

# What the access to the target gives. Another access policy may leave out what it does not use.
granted := access.decision

required := {"subject_token_audience", "client_audience", "token_client_audience"}

met contains "subject_token_audience" if input.exchange.token_audience == input.exchange.issuer

met contains "client_audience" if reaches(input.exchange.client_audiences)

met contains "token_client_audience" if input.exchange.token_client == input.request.client

met contains "token_client_audience" if reaches(input.exchange.token_client_audiences)

reaches(audiences) if "*" in audiences

reaches(audiences) if input.exchange.audience in audiences

unmet contains "audience_not_bound" if count(required - met) > 0

unmet contains reason if {
	data.rules.on.of
	some reason in data.rules.confinement.unmet
}

default allow := false

allow if {
	count(unmet) == 0
	granted.allow
}

reasons contains reason if some reason in unmet

reasons contains reason if some reason in granted.reasons

grants contains grant if {
	allow
	some grant in granted.grants
}

decision := {
	"allow": allow,
	"reasons": sort(reasons),
	"grants": grants,
	"rule": "federation/exchange",
	"lifetime_s": object.get(granted, "lifetime_s", null),
	"withhold": object.get(granted, "withhold", []),
	"obligations": object.get(granted, "obligations", []),
}
