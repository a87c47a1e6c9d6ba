-- Who is signed in to the console. What a browser holds is kept as its hash, as tokens are.

CREATE TABLE sessions (
  id             TEXT PRIMARY KEY,
  secret_hash    TEXT NOT NULL UNIQUE, -- SHA-256 in hexadecimal
  method         TEXT NOT NULL, -- access_token, oidc
  owner_id       TEXT NOT NULL, -- the access token's id; that of a person, made of issuer and subject
  owner_name     TEXT NOT NULL,
  role           TEXT NOT NULL, -- as it was at the sign-in; that of an access token is asked anew
  client_address TEXT,
  user_agent     TEXT,
  created_at     TEXT NOT NULL,
  expires_at     TEXT NOT NULL,
  ended_at       TEXT -- signed out, or the token is gone
);

CREATE INDEX sessions_owner ON sessions (owner_id, created_at);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
