# Enforces with the real oslo.policy, its OPA check pointed at argv[1]. Each rule's default is `@`: allow.
import logging
import sys

from oslo_config import cfg
from oslo_policy import policy

logging.disable(logging.CRITICAL)
conf = cfg.ConfigOpts()
conf([])
enforcer = policy.Enforcer(conf, use_conf=False)
from oslo_policy_opa import opts

opts._register(conf)
conf.set_override("opa_url", sys.argv[1], group="oslo_policy")
conf.set_override("remote_timeout", 5, group="oslo_policy")
for name in ["identity:list_projects", "broken:rule", "missing:rule"]:
    enforcer.register_default(policy.RuleDefault(name, "@"))
enforcer.set_rules(
    policy.Rules.from_dict({name: f"opa:{name}" for name in enforcer.registered_rules}), use_conf=False
)


def ask(name, roles, target=None):
    return enforcer.enforce(name, target or {}, {"roles": roles, "user_id": "u", "project_id": "p"})


print("member", ask("identity:list_projects", ["member"]))
print("reader", ask("identity:list_projects", ["reader"]))
print("broken", ask("broken:rule", ["member"]))
print("missing", ask("missing:rule", ["member"]))
# A target that is nested deeper than any engine reads must not be a way to the default rule.
deep = []
for _ in range(400):
    deep = [deep]
print("odd target", ask("identity:list_projects", ["member"], {"description": deep}))
