# Reading claims, as upstreams send them: a text, a list of texts, or a flag; by name, or by a path with dots.
package lib.claims

import rego.v1

# The exact name first: names such as "https://example.org/groups" hold dots. Null where there is none.
at(claims, name) := object.get(claims, [name], object.get(claims, split(name, "."), null))

# The values of a claim as texts. A claim that is `true` reads as "true".
values(claims, name) := {text | some value in listed(at(claims, name)); text := written(value)}

listed(value) := value if is_array(value)

listed(value) := [value] if type_name(value) in {"string", "boolean", "number"}

listed(value) := [] if type_name(value) in {"null", "object"}

written(value) := value if is_string(value)

written(value) := json.marshal(value) if type_name(value) in {"boolean", "number"}

# Exact, or with one `*` at the end.
matches(value, pattern) if value == pattern

matches(value, pattern) if {
	endswith(pattern, "*")
	startswith(value, trim_suffix(pattern, "*"))
}
