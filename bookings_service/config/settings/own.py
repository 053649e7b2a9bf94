"""What this service alone decides."""

from datetime import timedelta

from shared.settings.env import env, refuse

QUOTE_LIFETIME = timedelta(seconds=env.positive("QUOTE_SECONDS", default=900))
BOOKING_HOLD = timedelta(seconds=env.positive("BOOKING_HOLD_SECONDS", default=900))
# An offer to the waiting list outlives a hold: it is read in a mail first.
WAITLIST_OFFER = timedelta(
    seconds=env.positive("WAITLIST_OFFER_SECONDS", default=4 * int(BOOKING_HOLD.total_seconds()))
)
HOLD_EXTENSION = timedelta(seconds=env.positive("HOLD_EXTENSION_SECONDS", default=300))
CANCELLATION_QUOTE_LIFETIME = timedelta(seconds=env.positive("QUOTE_SECONDS", default=900))
HOLD_LIMIT_BOOKINGS = env.positive("HOLD_LIMIT_BOOKINGS", default=5)
HOLD_LIMIT_SEATS = env.positive("HOLD_LIMIT_SEATS", default=20)
BOOKING_CLOSES = timedelta(hours=env.positive("BOOKING_CLOSES_HOURS", default=2))

QUOTE_RETENTION = timedelta(days=env.positive("QUOTE_RETENTION_DAYS", default=30))
KEY_RETENTION = timedelta(days=env.positive("KEY_RETENTION_DAYS", default=90))
INBOX_RETENTION = timedelta(days=env.positive("INBOX_RETENTION_DAYS", default=90))
WEBHOOK_RETENTION = timedelta(days=env.positive("WEBHOOK_RETENTION_DAYS", default=400))

PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", default="sandbox")
if PAYMENT_PROVIDER != "sandbox":
    refuse(f"PAYMENT_PROVIDER is malformed: sandbox is expected, not {PAYMENT_PROVIDER[:40]}")
PAYMENT_SANDBOX_URL = env.str("PAYMENT_SANDBOX_URL")
PAYMENT_WEBHOOK_SECRET = env.str("PAYMENT_WEBHOOK_SECRET")
PAYMENT_WEBHOOK_URL = env.str("PAYMENT_WEBHOOK_URL")
PAYMENT_RECONCILE = timedelta(seconds=env.positive("PAYMENT_RECONCILE_SECONDS", default=30))
PROVIDER_SECONDS = 2.0
PROVIDER_CALLS_AT_ONCE = 4
