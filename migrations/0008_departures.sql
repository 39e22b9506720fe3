-- Whose a token at a target is, so that it can be ended when the customer, the upstream or the client goes; and why it is
-- ended before its time. Every token that was given is kept now until it has ended. Rows from before name nobody: they
-- end in time, as they did.
ALTER TABLE endings ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE endings ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
ALTER TABLE endings ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE endings ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE endings ADD COLUMN why TEXT NOT NULL DEFAULT '';
CREATE INDEX endings_holder ON endings (tenant, upstream, client);
CREATE INDEX families_client ON families (client);
