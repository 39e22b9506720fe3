// @open-policy-agent/opa against OPA_URL: decisions, POST /, batches by single calls, errors.
import assert from "node:assert/strict";
import { OPAClient } from "@open-policy-agent/opa";

const url = process.env.OPA_URL;
const put = (path, body) => fetch(`${url}/v1/policies/${path}`, { method: "PUT", body });
assert.equal((await put("npm", "package npm\n\nallow if input.role == \"admin\"\n\nuser := input.user")).status, 200);
assert.equal((await put("main", "package system\n\nmain := input.user")).status, 200);

const opa = new OPAClient(url);
assert.equal(await opa.evaluate("identity/list_projects/allow", { credentials: { roles: ["member"] } }), true);
assert.equal(await opa.evaluate("identity/list_projects/allow", { credentials: { roles: [] } }), false);
assert.deepEqual(await opa.evaluate("npm", { role: "admin", user: "alice" }), { allow: true, user: "alice" });
assert.equal(await opa.evaluateDefault({ user: "alice" }), "alice");
const batch = await opa.evaluateBatch("npm/user", { one: { user: "a" }, two: { user: "b" } }, { fallback: true });
assert.deepEqual(batch, { one: "a", two: "b" });
await assert.rejects(opa.evaluate("broken/rule/allow", { credentials: {} }));
console.log("all done");
