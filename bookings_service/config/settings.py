"""Settings of bookings_service. Every value comes from the environment."""

from datetime import timedelta
from urllib.parse import urlsplit

from shared.settings import base
from shared.settings.env import env, refuse
from shared.settings.security import secrets

globals().update(
    base.with_admin(
        "bookings",
        apps=[
            "shared.outbox",
            "shared.inbox",
            "shared.idempotency",
            "bookings_service.bookings",
            "bookings_service.payments",
        ],
        title="Bookings",
        symbol="confirmation_number",
        description="Quotes, seats, bookings, payments and refunds.",
    )
)

QUOTE_LIFETIME = timedelta(seconds=env.whole_number("QUOTE_SECONDS", default=900))
BOOKING_HOLD = timedelta(seconds=env.whole_number("BOOKING_HOLD_SECONDS", default=900))
# An offer to the waiting list lasts longer than a hold, because the traveller reads of it in a mail.
WAITLIST_OFFER = timedelta(
    seconds=env.whole_number("WAITLIST_OFFER_SECONDS", default=4 * int(BOOKING_HOLD.total_seconds()))
)
HOLD_EXTENSION = timedelta(seconds=env.whole_number("HOLD_EXTENSION_SECONDS", default=300))
HOLD_LIMIT_BOOKINGS = env.whole_number("HOLD_LIMIT_BOOKINGS", default=5)
HOLD_LIMIT_SEATS = env.whole_number("HOLD_LIMIT_SEATS", default=20)
BOOKING_CLOSES = timedelta(hours=env.whole_number("BOOKING_CLOSES_HOURS", default=2))
# A departure that is moved by less than this only informs. After a larger move, a cancellation is free for a while.
SMALL_MOVE = timedelta(hours=env.whole_number("SMALL_MOVE_HOURS", default=2))
CHANGE_ANSWER = timedelta(seconds=env.whole_number("CHANGE_ANSWER_SECONDS", default=14 * 24 * 3600))

QUOTE_RETENTION = timedelta(days=env.whole_number("QUOTE_RETENTION_DAYS", default=30))
KEY_RETENTION = timedelta(days=env.whole_number("KEY_RETENTION_DAYS", default=90))
WEBHOOK_RETENTION = timedelta(days=env.whole_number("WEBHOOK_RETENTION_DAYS", default=400))

PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", default="sandbox")
if PAYMENT_PROVIDER not in ("sandbox", "stripe"):
    refuse(f"PAYMENT_PROVIDER is malformed: sandbox or stripe is expected, not {PAYMENT_PROVIDER[:40]}")
# The active provider needs all of its variables. The variables of the other provider may be set too, for payments that
# were made with it.
_sandbox = PAYMENT_PROVIDER == "sandbox" or env.str("PAYMENT_SANDBOX_URL", default="")
PAYMENT_SANDBOX_URL = env.str("PAYMENT_SANDBOX_URL") if _sandbox else ""
# Newest first: the sandbox signs with the first. A webhook that a former secret signed is still accepted.
PAYMENT_WEBHOOK_SECRETS = secrets("PAYMENT_WEBHOOK_SECRET") if _sandbox else []
PAYMENT_WEBHOOK_URL = env.str("PAYMENT_WEBHOOK_URL") if _sandbox else ""
_stripe = PAYMENT_PROVIDER == "stripe" or env.str("STRIPE_API_KEY", default="")
STRIPE_API_KEY = env.str("STRIPE_API_KEY") if _stripe else ""
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET") if _stripe else ""
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")
_base = urlsplit(STRIPE_API_BASE)
if _base.scheme != "https" and _base.hostname not in ("127.0.0.1", "localhost"):
    refuse("STRIPE_API_BASE is malformed: https://… is expected, because every request contains the key")
STRIPE_RETURN_URL = env.str("STRIPE_RETURN_URL", default="")
if STRIPE_API_KEY and not STRIPE_API_KEY.startswith(("sk_", "rk_")):
    refuse("STRIPE_API_KEY is malformed: a secret (sk_…) or restricted (rk_…) key is expected")
PAYMENT_RECONCILE = timedelta(seconds=env.whole_number("PAYMENT_RECONCILE_SECONDS", default=30))
PROVIDER_SECONDS = 2.0
PROVIDER_CALLS_AT_ONCE = 4
