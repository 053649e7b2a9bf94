"""What keeps the service closed."""

from shared.settings import security

DEBUG = security.debug()
SECRET_KEY = security.secret_key()
ALLOWED_HOSTS = security.allowed_hosts()

# The second is the way in of a local superuser while users_service is away.
AUTHENTICATION_BACKENDS = ["shared.auth.staff.StaffBackend", "django.contrib.auth.backends.ModelBackend"]
# Cookies know no ports: each service's admin has its own names.
SESSION_COOKIE_NAME = "notifications_session"
CSRF_COOKIE_NAME = "notifications_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

_https = security.https()
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https.on
SECURE_HSTS_SECONDS = _https.hsts_seconds
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https.on
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https.on else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = security.trusted_proxies()
MAX_BODY_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = security.max_body_bytes()
