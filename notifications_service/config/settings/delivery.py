"""How mail and SMS leave."""

from django.core.exceptions import ImproperlyConfigured

from shared.settings.env import env, refuse

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

SMS_PROVIDER = env.str("SMS_PROVIDER", default="console")
if SMS_PROVIDER != "console":
    refuse(f"SMS_PROVIDER is malformed: console is expected, not {SMS_PROVIDER[:40]}")
SMS_DIR = env.str("SMS_DIR")
