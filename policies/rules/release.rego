# Rule 25 attribute_release: what a tool or partner learns about a person beside the stable `sub`.
package rules.release

import rego.v1

all := {"email", "profile", "groups"}

released contains scope if {
	some scope in object.get(data.rules.on.mine.attribute_release.clients, input.request.client, data.rules.on.mine.attribute_release.others)
}

withheld contains scope if {
	data.rules.on.mine.attribute_release
	some scope in (all - released)
}
