"""Tables only Stripe needs. An object stands as the JSON its API shows; what is ours alone stands in it under `_`."""

TABLES = """
CREATE TABLE stripe_objects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, customer TEXT,
  next_at REAL, data TEXT NOT NULL);
CREATE INDEX stripe_objects_by_kind ON stripe_objects (kind, seq);
CREATE INDEX stripe_objects_by_customer ON stripe_objects (customer, kind, seq);
CREATE INDEX stripe_objects_by_next ON stripe_objects (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE stripe_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, at REAL NOT NULL,
  data TEXT NOT NULL);

CREATE TABLE stripe_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, made_at REAL NOT NULL, due REAL NOT NULL,
  first_due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, signature TEXT, done_at REAL);
CREATE INDEX stripe_deliveries_by_due ON stripe_deliveries (due, id) WHERE done_at IS NULL;
CREATE INDEX stripe_deliveries_by_event ON stripe_deliveries (event_id, id);

CREATE TABLE stripe_replays (
  key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
  at REAL NOT NULL) WITHOUT ROWID;
"""
