"""The Django app of the gateway."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """The graph and its transports; no models."""

    name = "gateway_service.gateway"
    label = "gateway"
