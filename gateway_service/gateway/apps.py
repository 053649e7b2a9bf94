"""The Django app of the gateway."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """The GraphQL schema and its transports. There are no models."""

    name = "gateway_service.gateway"
    label = "gateway"
