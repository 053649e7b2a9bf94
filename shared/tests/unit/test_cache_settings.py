"""What a cache holds is data. Every service can write to the one Valkey, so no value of it may run code."""

import pickle

import pytest
from django.utils.module_loading import import_string

from shared.settings.cache import caches


def test_a_value_of_the_cache_is_never_unpickled(monkeypatch):
    """Seen failing (the value is unpickled) with the serializer that django-redis uses by default."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    options = caches("users")["default"]["OPTIONS"]
    serializer = import_string(options.get("SERIALIZER", "django_redis.serializers.pickle.PickleSerializer"))(options)

    with pytest.raises(ValueError):
        serializer.loads(pickle.dumps({"a": 1}))
    assert serializer.loads(serializer.dumps({"a": 1})) == {"a": 1}
