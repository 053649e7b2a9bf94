"""What keeps the service closed."""

from shared.settings import security

DEBUG = security.debug()
SECRET_KEY = security.secret_key()
ALLOWED_HOSTS = security.allowed_hosts()
