"""Apps, middleware, templates and static files of every service with an admin."""

from typing import Any, Final

APPS: Final = (
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
)

MIDDLEWARE: Final = (
    "shared.http.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shared.http.limits.LimitsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shared.http.middleware.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


def templates() -> list[dict[str, Any]]:
    """Return TEMPLATES with the admin's context processors."""
    return [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ]


def storages() -> dict[str, Any]:
    """Return STORAGES: files on disk. The process serves static files itself, without collectstatic."""
    return {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def unfold(*, title: str, symbol: str) -> dict[str, Any]:
    """Return UNFOLD, the look of the admin. `symbol` is a Material symbol."""
    return {
        "SITE_TITLE": title,
        "SITE_HEADER": title,
        "SITE_SYMBOL": symbol,
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "COLORS": {
            "primary": {
                "50": "240 249 255", "100": "224 242 254", "200": "186 230 253", "300": "125 211 252",
                "400": "56 189 248", "500": "14 165 233", "600": "2 132 199", "700": "3 105 161",
                "800": "7 89 133", "900": "12 74 110", "950": "8 47 73",
            }
        },
    }  # fmt: skip
