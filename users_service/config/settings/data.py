"""Where data lies."""

from shared.settings.cache import caches
from shared.settings.database import database
from shared.settings.web import storages

DATABASES = database("users")
CACHES = caches("users")
STORAGES = storages()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
