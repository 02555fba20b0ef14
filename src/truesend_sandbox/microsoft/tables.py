"""Tables only Microsoft needs. A message has the id that changes when it moves (`item`) and the one that does not."""

TABLES = """
CREATE TABLE microsoft_tenants (
  tenant TEXT NOT NULL, client_id TEXT NOT NULL, scopes TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (tenant, client_id)) WITHOUT ROWID;

CREATE TABLE microsoft_directory (tenant TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE microsoft_messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, item TEXT NOT NULL UNIQUE,
  immutable TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, conversation TEXT NOT NULL, rfc_id TEXT,
  draft INTEGER NOT NULL, is_read INTEGER NOT NULL, created_at REAL NOT NULL, changed_at REAL NOT NULL,
  received_at REAL NOT NULL, sent_at REAL NOT NULL, visible_at REAL NOT NULL, listed_at REAL NOT NULL,
  version INTEGER NOT NULL, subject TEXT NOT NULL, sender TEXT NOT NULL, attached INTEGER NOT NULL,
  kept TEXT NOT NULL, raw BLOB NOT NULL);
CREATE INDEX microsoft_messages_by_time ON microsoft_messages (account_id, received_at);
CREATE INDEX microsoft_messages_by_folder ON microsoft_messages (account_id, folder, received_at);
CREATE INDEX microsoft_messages_by_rfc_id ON microsoft_messages (account_id, rfc_id);

CREATE TABLE microsoft_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, folder TEXT NOT NULL, kind TEXT NOT NULL,
  seq INTEGER NOT NULL, item TEXT NOT NULL, immutable TEXT NOT NULL);
CREATE INDEX microsoft_changes_by_folder ON microsoft_changes (account_id, folder, id);

CREATE TABLE microsoft_subscriptions (
  id TEXT PRIMARY KEY, account_id INTEGER NOT NULL, url TEXT NOT NULL, lifecycle_url TEXT, state TEXT,
  resource TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE microsoft_sends (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, at REAL NOT NULL,
  recipients INTEGER NOT NULL);
CREATE INDEX microsoft_sends_by_account ON microsoft_sends (account_id, at, recipients);

CREATE TABLE microsoft_uploads (
  id TEXT PRIMARY KEY, account_id INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  content_id TEXT NOT NULL, inline INTEGER NOT NULL, size INTEGER NOT NULL, until REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE microsoft_upload_parts (
  upload TEXT NOT NULL, start INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (upload, start));
"""
