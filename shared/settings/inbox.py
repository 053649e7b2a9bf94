"""How long a consumer remembers which events it has taken."""

from datetime import timedelta

from shared.settings.env import env, refuse

LEAST_DAYS = 8  # Kafka keeps an event for 7 days, and may deliver it again until then


def retention() -> timedelta:
    """Return INBOX_RETENTION_DAYS. Ends the process if it is so short that an event could take effect twice."""
    days = env.whole_number("INBOX_RETENTION_DAYS", default=30)
    if days < LEAST_DAYS:
        refuse(
            f"INBOX_RETENTION_DAYS is malformed: at least {LEAST_DAYS} is expected, because Kafka keeps events for 7"
        )
    return timedelta(days=days)
