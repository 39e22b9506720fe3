-- Signing keys of issuers beside the gateway's own: a target that has its own issuer has its own keys.
ALTER TABLE signing_keys ADD COLUMN ring TEXT NOT NULL DEFAULT '';
