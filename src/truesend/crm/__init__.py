"""Telling a CRM of mail that went out from other accounts: who wants it, what is told, and what came of it."""
