"""What the service is made of, and how it speaks and logs."""

from pathlib import Path

from shared.settings import security, web
from shared.settings.env import env
from shared.telemetry import logging_config

SERVICE_NAME = "notifications"
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000")
ROOT_URLCONF = "notifications_service.config.urls"
WSGI_APPLICATION = "notifications_service.config.wsgi.application"

# The admin is looked up by urls.py alone: worker, consumer and relay save 15 MB each by never loading it.
_ADMIN_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig" if app == "django.contrib.admin" else app for app in web.ADMIN_APPS
]

INSTALLED_APPS = [
    *_ADMIN_APPS,
    *web.API_APPS,
    "shared.outbox",
    "shared.inbox",
    "notifications_service.billing",
    "notifications_service.notifications",
]
MIDDLEWARE = [*web.MIDDLEWARE, "shared.auth.staff.StaffRecheckMiddleware"]
TEMPLATES = web.templates(Path(__file__).resolve().parent.parent / "templates")
UNFOLD = web.unfold(title="Notifications", symbol="mail")
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = logging_config(
    SERVICE_NAME, json_lines=env.str("LOG_FORMAT", default="console" if security.debug() else "json") == "json"
)
# One line of ours tells of each notification; Celery's two about each message, and beat's of every sweep, are noise.
LOGGING["loggers"].update(
    {name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat")}
)
