"""What comes back to a mailbox: replies, automatic replies, delays and bounces."""
