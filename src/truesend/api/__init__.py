"""`/api/v1`: what pages can do, for scripts and the extension."""

from truesend.api.routes import api

__all__ = ["api"]
