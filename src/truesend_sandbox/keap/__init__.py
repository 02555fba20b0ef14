"""Keap as the sandbox plays it, from Keap's documentation and from answers others have recorded."""
