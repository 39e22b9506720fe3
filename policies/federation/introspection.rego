# Whether a client may know what a token says: only the one it was issued to, or the one it is for.
package federation.introspection

import rego.v1

required contains "audience_bound"

met contains "audience_bound" if input.token.client_id == input.client.id

met contains "audience_bound" if for_the_client

for_the_client if input.token.audience == input.client.id

for_the_client if input.token.audience in input.client.audiences

unmet contains "audience_not_bound" if count(required - met) > 0

unmet contains reason if {
	data.rules.on.of
	some reason in data.rules.confinement.unmet
}

default allow := false

allow if count(unmet) == 0

decision := {"allow": allow, "reasons": sort(unmet), "obligations": []}
