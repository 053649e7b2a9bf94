"""Celery. The database holds what is to be sent: messages only say that there is something."""

from shared.settings.celery import celery
from shared.settings.env import env

globals().update({f"CELERY_{name.upper()}": value for name, value in celery("notifications").items()})

CELERY_BROKER_TRANSPORT_OPTIONS = {
    **celery("notifications")["broker_transport_options"],
    # A consumer wakes the worker after its commit: it must never be held up by a broker that is away.
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
    "max_retries": 1,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_TIME_LIMIT = None  # threads cannot be killed; every step of a sending has a timeout of its own
CELERY_WORKER_CONCURRENCY = env.positive("NOTIFICATIONS_WORKER_THREADS", default=4)
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BEAT_SCHEDULER = "notifications_service.config.celery:BeatingScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "notifications.sweep", "schedule": 5.0, "options": {"expires": 5, "queue": "notifications"}},
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that is away comes back
