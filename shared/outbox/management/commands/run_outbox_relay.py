"""`manage.py run_outbox_relay`."""

from shared.outbox.command import RunRelay as Command

__all__ = ["Command"]
