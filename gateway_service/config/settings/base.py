"""Django itself: apps, middleware, hosts, logs. No database, no sessions, no admin."""

from pathlib import Path

from shared.settings.env import env
from shared.settings.security import allowed_hosts, debug, https, secret_key
from shared.settings.web import storages
from shared.telemetry import logging_config

SERVICE_NAME = "gateway"
DEBUG = debug()
SECRET_KEY = secret_key()
ALLOWED_HOSTS = allowed_hosts(SERVICE_NAME)

ROOT_URLCONF = "gateway_service.config.urls"
ASGI_APPLICATION = "gateway_service.config.asgi.application"
INSTALLED_APPS = [
    "gateway_service.gateway",  # before graphene-django, whose command it refines
    "django.contrib.staticfiles",
    "graphene_django",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = ["gateway_service.gateway.transport.middleware.Edge"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES: dict[str, dict[str, object]] = {}
STORAGES = storages()
STATIC_URL = "/static/"
APPEND_SLASH = False

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]

# The gateway's own asynchronous Edge sets these headers, and no form or session is served: Django's middleware would do it again.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
SECURE_HSTS_SECONDS = https().hsts_seconds
COOKIES_SECURE = https().on or not DEBUG
# The gateway's own asynchronous middleware does what these three look for by name: Django's are synchronous, and would take a
# thread for every request. No form is served, and the one cookie is guarded by Origin.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]

GRAPHENE = {
    "SCHEMA": "gateway_service.gateway.schema.schema",
    "SCHEMA_OUTPUT": str(Path(__file__).resolve().parents[2] / "schema.graphql"),
}

LOGGING = logging_config(
    SERVICE_NAME, json_lines=env.str("LOG_FORMAT", default="console" if DEBUG else "json") == "json"
)
