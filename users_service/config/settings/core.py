"""What the service is made of, and how it speaks and logs."""

from pathlib import Path

from shared.settings import security, web
from shared.settings.env import env
from shared.telemetry import logging_config

SERVICE_NAME = "users"
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000")
ROOT_URLCONF = "users_service.config.urls"
WSGI_APPLICATION = "users_service.config.wsgi.application"

INSTALLED_APPS = [
    *web.ADMIN_APPS,
    *web.API_APPS,
    "shared.outbox",
    "shared.inbox",
    "users_service.accounts",
]
MIDDLEWARE = web.MIDDLEWARE
TEMPLATES = web.templates(Path(__file__).resolve().parent.parent / "templates")
UNFOLD = web.unfold(title="Accounts", symbol="group")
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
