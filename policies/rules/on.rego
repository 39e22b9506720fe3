# Which rules of the library are switched on for the tenant of a question, with their parameters.
#
# `policy.rules` of the configuration is compiled to `data.fed.library.items`, and `data.fed.library.of[tenant]`
# names for each rule the item that holds there. A tenant without rules has no entry: `not on.of` is one look-up.
package rules.on

import rego.v1

of := data.fed.library.of[input.subject.tenant]

# A token at introspection has a tenant and no subject of its own.
of := data.fed.library.of[input.token.tenant]

mine[name] := item if {
	some name, place in of
	item := data.fed.library.items[place]
}
