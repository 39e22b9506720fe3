# Rules 3, 5 and 29, at mapping: which groups of an upstream count, and what people are called here.
package rules.groups

import rego.v1

kept contains group if {
	some group in input.subject.groups
	trusted
	count(unaccepted(group.name)) == 0
}

# 3 accepted_groups: the group begins with one of `accept` and with none of `refuse`.
unaccepted(name) := ({"accept" | data.rules.on.mine.accepted_groups} - begun(name)) | refused(name)

begun(name) := {"accept" | some start in data.rules.on.mine.accepted_groups.accept; startswith(name, start)}

refused(name) := {"refuse" | some start in data.rules.on.mine.accepted_groups.refuse; startswith(name, start)}

# 5 untrusted_groups: what a social provider says about groups is nothing; local groups are given by `sub`.
trusted if not data.rules.on.mine.untrusted_groups

trusted if object.get(data.rules.on.mine.untrusted_groups.upstreams, input.subject.upstream, false) == false

given contains {"name": name, "rule": "untrusted_groups"} if {
	some name in data.rules.on.mine.untrusted_groups.local[input.subject.id]
}

dropped contains {"name": group.name, "reason": reason} if {
	some group in input.subject.groups
	reason := objection(group.name)
}

objection(_) := "group_not_trusted" if data.rules.on.mine.untrusted_groups.upstreams[input.subject.upstream]

objection(name) := "group_not_accepted" if {
	trusted
	count(unaccepted(name)) > 0
}

# 29 name_prefix: anna of B becomes b:anna.
default prefix := null

prefix := data.rules.on.mine.name_prefix.prefix
