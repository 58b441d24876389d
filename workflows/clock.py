"""The server's clock, as the workflows see it."""

from models.clock import at, now, today

__all__ = ["at", "now", "today"]
