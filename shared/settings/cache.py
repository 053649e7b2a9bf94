"""Valkey: rate limits and caches, only data that may be lost."""

from typing import Any

from shared.settings.env import env


def caches(service: str) -> dict[str, Any]:
    """Return CACHES on REDIS_URL. Every key begins with the service's name."""
    return {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": env.str("REDIS_URL"),
            "KEY_PREFIX": service,
            "OPTIONS": {
                # The default would unpickle what any other service has written.
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
                "SOCKET_CONNECT_TIMEOUT": 1,
                "SOCKET_TIMEOUT": 1,
                "CONNECTION_POOL_KWARGS": {"max_connections": 20},
            },
        }
    }
