"""The sandbox's tables."""

from truesend_sandbox.keap.tables import TABLES as KEAP_TABLES
from truesend_sandbox.microsoft.tables import TABLES as MICROSOFT_TABLES
from truesend_sandbox.stripe.tables import TABLES as STRIPE_TABLES

VERSION = 9
"""Raised whenever the tables change; a data folder with another version is set aside, not migrated."""

_COMMON = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE switches (
  provider TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (provider, name)) WITHOUT ROWID;

CREATE TABLE faults (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, account TEXT, operation TEXT NOT NULL,
  kind TEXT NOT NULL, params TEXT NOT NULL, times INTEGER, until REAL, hits INTEGER NOT NULL DEFAULT 0);

CREATE TABLE calls (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, provider TEXT NOT NULL, operation TEXT NOT NULL,
  account TEXT, status INTEGER, ms REAL NOT NULL, fault INTEGER, ended TEXT NOT NULL);
CREATE INDEX calls_by_operation ON calls (provider, operation, id);

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL,
  sub TEXT NOT NULL, domain TEXT, fields TEXT NOT NULL, created_at REAL NOT NULL,
  UNIQUE (provider, email));

CREATE TABLE clients (
  provider TEXT NOT NULL, client_id TEXT NOT NULL, secret TEXT NOT NULL, project TEXT NOT NULL,
  name TEXT NOT NULL, redirect_uris TEXT NOT NULL, PRIMARY KEY (provider, client_id)) WITHOUT ROWID;

CREATE TABLE planned_consents (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, account TEXT NOT NULL, decision TEXT NOT NULL,
  untick TEXT NOT NULL, as_account TEXT, page TEXT, tenant TEXT);

CREATE TABLE authorizations (
  id TEXT PRIMARY KEY, provider TEXT NOT NULL, params TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE grants (
  account_id INTEGER NOT NULL, project TEXT NOT NULL, scopes TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (account_id, project)) WITHOUT ROWID;

CREATE TABLE codes (
  code TEXT PRIMARY KEY, client_id TEXT NOT NULL, account_id INTEGER NOT NULL, redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL, challenge TEXT, challenge_method TEXT, nonce TEXT, offline INTEGER NOT NULL,
  at REAL NOT NULL, used_at REAL) WITHOUT ROWID;

CREATE TABLE refresh_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL,
  project TEXT NOT NULL, account_id INTEGER NOT NULL, scopes TEXT NOT NULL, at REAL NOT NULL,
  used_at REAL NOT NULL,
  expires_at REAL, dead_at REAL, dead_cause TEXT);
CREATE INDEX refresh_tokens_by_account ON refresh_tokens (account_id, client_id, id);

CREATE TABLE access_tokens (
  token TEXT PRIMARY KEY, refresh_id INTEGER, client_id TEXT NOT NULL, project TEXT NOT NULL,
  account_id INTEGER NOT NULL, scopes TEXT NOT NULL, at REAL NOT NULL, expires_at REAL NOT NULL,
  dead_at REAL) WITHOUT ROWID;
CREATE INDEX access_tokens_by_account ON access_tokens (account_id, project);

CREATE TABLE gmail_messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, id TEXT NOT NULL,
  thread_id TEXT NOT NULL, labels TEXT NOT NULL, at REAL NOT NULL, history_id INTEGER NOT NULL, rfc_id TEXT,
  subject TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL, raw BLOB NOT NULL,
  UNIQUE (account_id, id));
CREATE INDEX gmail_messages_by_thread ON gmail_messages (account_id, thread_id);
CREATE INDEX gmail_messages_by_rfc_id ON gmail_messages (account_id, rfc_id);

CREATE TABLE gmail_labels (
  account_id INTEGER NOT NULL, label TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (account_id, label, seq)) WITHOUT ROWID;

CREATE TABLE gmail_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, kind TEXT NOT NULL,
  message_id TEXT NOT NULL, thread_id TEXT NOT NULL, labels TEXT NOT NULL,
  changed TEXT NOT NULL DEFAULT '', at REAL NOT NULL);
CREATE INDEX gmail_history_by_account ON gmail_history (account_id, id);
CREATE INDEX gmail_history_by_age ON gmail_history (account_id, at);

CREATE TABLE gmail_drafts (
  id TEXT NOT NULL, account_id INTEGER NOT NULL, message_id TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
  at REAL NOT NULL, PRIMARY KEY (account_id, id)) WITHOUT ROWID;

CREATE TABLE gmail_uploads (id TEXT PRIMARY KEY, account_id INTEGER NOT NULL, target TEXT NOT NULL,
  metadata TEXT NOT NULL, at REAL NOT NULL, size INTEGER, body BLOB NOT NULL DEFAULT x'') WITHOUT ROWID;

CREATE TABLE gmail_sends (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, at REAL NOT NULL,
  recipients INTEGER NOT NULL);
CREATE INDEX gmail_sends_by_account ON gmail_sends (account_id, at, recipients);

CREATE TABLE gmail_watches (account_id INTEGER PRIMARY KEY, topic TEXT NOT NULL, until REAL NOT NULL);

CREATE TABLE arrivals (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
  mark TEXT, at REAL NOT NULL, raw BLOB NOT NULL);
CREATE INDEX arrivals_by_mark ON arrivals (mark, id);

CREATE TABLE arrival_recipients (
  address TEXT NOT NULL, arrival_id INTEGER NOT NULL, position INTEGER NOT NULL, read_at REAL,
  PRIMARY KEY (address, arrival_id)) WITHOUT ROWID;
CREATE INDEX arrival_recipients_by_arrival ON arrival_recipients (arrival_id, position);

CREATE TABLE mailboxes (
  address TEXT PRIMARY KEY, mails INTEGER NOT NULL, unread INTEGER NOT NULL, latest INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX mailboxes_by_latest ON mailboxes (latest);
"""

SCHEMA = _COMMON + MICROSOFT_TABLES + KEAP_TABLES + STRIPE_TABLES
