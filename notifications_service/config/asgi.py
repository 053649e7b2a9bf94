"""The ASGI application; production serves `wsgi`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_service.config.settings")
application = get_asgi_application()
