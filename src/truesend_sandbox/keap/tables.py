"""Tables only Keap needs; the tenant is the app's short name (`xy123`)."""

TABLES = """
CREATE TABLE keap_users (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, account_id INTEGER NOT NULL,
  active INTEGER NOT NULL DEFAULT 1, at REAL NOT NULL, UNIQUE (tenant, account_id));

CREATE TABLE keap_pairs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, refresh_token TEXT NOT NULL UNIQUE, access_token TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL, tenant TEXT NOT NULL, account_id INTEGER NOT NULL, at REAL NOT NULL,
  refresh_expires_at REAL NOT NULL, refresh_dead_at REAL, access_expires_at REAL NOT NULL, access_dead_at REAL);
CREATE INDEX keap_pairs_by_account ON keap_pairs (account_id, id);
CREATE INDEX keap_pairs_by_tenant ON keap_pairs (tenant, id);

CREATE TABLE keap_keys (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, tenant TEXT NOT NULL, account_id INTEGER NOT NULL,
  at REAL NOT NULL, dead_at REAL) WITHOUT ROWID;

CREATE TABLE keap_contacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, data TEXT NOT NULL, created_at REAL NOT NULL,
  updated_at REAL NOT NULL);
CREATE INDEX keap_contacts_by_tenant ON keap_contacts (tenant, id);

CREATE TABLE keap_contact_emails (
  tenant TEXT NOT NULL, email TEXT NOT NULL, contact_id INTEGER NOT NULL, field TEXT NOT NULL,
  PRIMARY KEY (tenant, email, contact_id, field)) WITHOUT ROWID;
CREATE INDEX keap_contact_emails_by_contact ON keap_contact_emails (contact_id);

CREATE TABLE keap_addresses (
  tenant TEXT NOT NULL, email TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, created_at REAL NOT NULL,
  last_sent_at REAL, last_open_at REAL, last_click_at REAL, PRIMARY KEY (tenant, email)) WITHOUT ROWID;

CREATE TABLE keap_emails (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, contact_id INTEGER, to_address TEXT NOT NULL,
  created_at REAL NOT NULL, account_id INTEGER, arrival_id INTEGER, sent INTEGER NOT NULL DEFAULT 0,
  shown INTEGER NOT NULL DEFAULT 2,
  original_provider TEXT NOT NULL, original_provider_id TEXT NOT NULL, data TEXT NOT NULL,
  html TEXT, plain TEXT, UNIQUE (tenant, original_provider, original_provider_id));
CREATE INDEX keap_emails_by_contact ON keap_emails (tenant, contact_id, id);
CREATE INDEX keap_emails_by_address ON keap_emails (tenant, to_address, id);
CREATE INDEX keap_emails_by_account ON keap_emails (account_id, id);
CREATE INDEX keap_emails_by_arrival ON keap_emails (arrival_id);

CREATE TABLE keap_hooks (
  key TEXT PRIMARY KEY, tenant TEXT NOT NULL, event TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL);
"""
