"""The sandbox: the providers' HTTP with state, and every recipient's mailbox.

A process and package of its own. `truesend` never imports it and it never imports `truesend`: the two
meet only over HTTP, as Truesend meets the real providers.
"""
