"""The gateway's ASGI application, for HTTP and WebSockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_service.config.settings")

import django

django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - after django.setup()

from gateway_service.gateway.transport.application import Application  # noqa: E402

application = Application(get_asgi_application())
