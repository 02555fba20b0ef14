"""Stripe's half of the sandbox: customers, Checkout, the portal, subscriptions on the clock, signed webhooks."""
