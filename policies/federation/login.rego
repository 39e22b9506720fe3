# Whether somebody who has proved who they are gets a session.
#
# The access to the target `gateway` decides (federation/access); rules of the library that look at what the
# upstream said (`input.login`) come on top. Nothing is opened before this allows.
package federation.login

import rego.v1

import data.federation.access

# What the access to the target gives. Another access policy may leave out what it does not use.
granted := access.decision

# What must hold of every sign-in, and what does.
required contains "sign_in_at_the_gateway"

met contains "sign_in_at_the_gateway" if {
	input.request.kind == "gateway"
	is_string(input.login.subject)
}

unmet contains "nothing_granted" if count(required - met) > 0

unmet contains reason if {
	data.rules.on.of
	some reason in ((data.rules.door.unmet | data.rules.assurance.unmet) | data.rules.partner.unmet)
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

obligations contains code if some code in object.get(granted, "obligations", [])

obligations contains code if {
	data.rules.on.of
	allow
	some code in data.rules.door.obligations
}

decision := {
	"allow": allow,
	"reasons": sort(reasons),
	"grants": grants,
	"rule": "federation/login",
	"lifetime_s": object.get(granted, "lifetime_s", null),
	"withhold": object.get(granted, "withhold", []),
	"obligations": sort(obligations),
}
