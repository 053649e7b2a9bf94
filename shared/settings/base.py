"""The settings that services have in common. A service's `config/settings.py` takes them in and adds its own.

    globals().update(base.with_admin("users", apps=[...], title="Accounts", symbol="group", description="..."))

A setting that the service's module writes after this line replaces the common one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from shared.settings import inbox, security, web
from shared.settings.cache import caches
from shared.settings.database import database
from shared.settings.env import env
from shared.settings.kafka import check_security
from shared.settings.rest import rest_framework, spectacular
from shared.telemetry import logging_config


def every(service: str) -> dict[str, Any]:
    """Return what every service sets, one without a database too: its name, languages, clock, logs and safety."""
    check_security()  # here, because a thread cannot end the process
    readable = "console" if security.debug() else "json"
    return {
        "SERVICE_NAME": service,
        "PUBLIC_URL": security.public_url(),
        "ROOT_URLCONF": f"{service}_service.config.urls",
        "STORAGES": web.storages(),
        "STATIC_URL": "/static/",
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("fr", "Français")],
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LOGGING": logging_config(service, json_lines=env.str("LOG_FORMAT", default=readable) == "json"),
        **security.limits(service),
    }


def with_admin(
    service: str, *, apps: Sequence[str], title: str, symbol: str, description: str, admin: str = "django.contrib.admin"
) -> dict[str, Any]:
    """Return what a service with a database, a REST API and an admin sets.

    `apps` are its own and those of `shared` that it needs. `title`, `symbol` (of Material Symbols) and `description`
    appear in its admin and its OpenAPI document. `admin` is the admin's app, for a service that loads it in its own
    way.
    """
    return {
        **every(service),
        **security.hardening(service),
        "WSGI_APPLICATION": f"{service}_service.config.wsgi.application",
        "INSTALLED_APPS": [admin if app == "django.contrib.admin" else app for app in (*web.APPS, *apps)],
        "MIDDLEWARE": [*web.MIDDLEWARE, "shared.staff_sign_in.StaffRecheckMiddleware"],
        "TEMPLATES": web.templates(),
        "UNFOLD": web.unfold(title=title, symbol=symbol),
        "WHITENOISE_USE_FINDERS": True,
        "USE_I18N": True,
        "DATABASES": database(service),
        "CACHES": caches(service),
        "INBOX_RETENTION": inbox.retention(),
        "OUTBOX_RETENTION": timedelta(days=env.whole_number("OUTBOX_RETENTION_DAYS", default=7)),
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "REST_FRAMEWORK": rest_framework(),
        "SPECTACULAR_SETTINGS": spectacular(title=title, description=description),
    }
