"""Settings of notifications_service. Every value comes from the environment."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import kombu
from django.core.exceptions import ImproperlyConfigured

from notifications_service.notifications.queues import Queue
from shared.settings import base
from shared.settings.celery import celery
from shared.settings.env import env, refuse
from shared.settings.security import secrets

_common = base.with_admin(
    "notifications",
    apps=["shared.outbox", "shared.inbox", "notifications_service.billing", "notifications_service.notifications"],
    # Only urls.py discovers the admin: worker, consumer and relay save 15 MB each by never loading it.
    admin="django.contrib.admin.apps.SimpleAdminConfig",
    title="Notifications",
    symbol="mail",
    description="The messages that were sent to a traveller, and the traveller's invoices and credit notes.",
)
# This service logs one line for each notification. Celery's lines about each message and each sweep only add noise.
_common["LOGGING"]["loggers"].update(
    {name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat")}
)
globals().update(_common)

# ---------------------------------------------------------------- how mail and SMS are sent
try:
    _mail = env.email_url_config(env.str("EMAIL_URL"))
except (ImproperlyConfigured, ValueError):
    _mail = {}
if not str(_mail.get("EMAIL_BACKEND")).endswith("smtp.EmailBackend") or not _mail["EMAIL_HOST"]:
    refuse("EMAIL_URL is malformed: smtp://USER:PASSWORD@HOST:PORT is expected, or smtp+tls, or smtp+ssl")

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Travel <hello@travel.example>")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 8
# A worker that does not renew its claim of a notification for so long has lost it to another worker.
NOTIFICATIONS_LEASE_SECONDS = env.whole_number("NOTIFICATIONS_LEASE_SECONDS", default=20)
if NOTIFICATIONS_LEASE_SECONDS < 2:
    refuse("NOTIFICATIONS_LEASE_SECONDS is malformed: 2 or more is expected")

# The zone of the dates on invoices and credit notes, and of the year in their numbers.
SELLER_TIME_ZONE = env.str("SELLER_TIME_ZONE", default="Europe/Paris")
try:
    ZoneInfo(SELLER_TIME_ZONE)
except (ValueError, OSError, ZoneInfoNotFoundError):
    refuse(f"SELLER_TIME_ZONE is malformed: a name such as Europe/Paris is expected, not {SELLER_TIME_ZONE[:40]}")

# Newest first: the first signs the links to documents, the others still open links from before a rotation.
DOCUMENT_LINK_SECRETS = secrets("DOCUMENT_LINK_SECRET")

SMS_PROVIDER = env.str("SMS_PROVIDER", default="console")
if SMS_PROVIDER != "console":
    refuse(f"SMS_PROVIDER is malformed: console is expected, not {SMS_PROVIDER[:40]}")
SMS_DIR = env.str("SMS_DIR")

# ---------------------------------------------------------------- Celery: the database holds what is to be sent
globals().update({f"CELERY_{name.upper()}": value for name, value in celery("notifications").items()})

CELERY_BROKER_TRANSPORT_OPTIONS = {
    **celery("notifications")["broker_transport_options"],
    # A consumer wakes the worker after its commit. It must never wait for a broker that is unavailable.
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
    "max_retries": 1,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_TIME_LIMIT = None  # a thread cannot be killed, so every step of sending has its own timeout
CELERY_TASK_QUEUES = [kombu.Queue(queue.value, routing_key=queue.value) for queue in Queue]
CELERY_TASK_DEFAULT_QUEUE = Queue.MAIL.value
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BEAT_SCHEDULER = "notifications_service.config.celery:HeartbeatScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "notifications.sweep", "schedule": 2.0, "options": {"expires": 5, "queue": Queue.URGENT.value}},
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # wait for the broker for as long as it is unavailable
