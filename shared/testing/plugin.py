"""The pytest plugin of every service. It gives each test run its own databases, topics and cache.

- Databases: those of pytest-django. With `<SERVICE>_TEST_DATABASE_TEMPLATE` or TEST_DATABASE_TEMPLATE they are cloned
  from it, and migrations have nothing to do. There is no connection pool, because tests count connections. After a
  test with `transaction=True` only the tables with rows are truncated.
- Kafka: the run and worker have their own KAFKA_TOPIC_PREFIX. The fixture `kafka_topics` creates and deletes the
  topics.
- Valkey: each service and worker has a database. The fixture `valkey` empties it before and after.
"""

import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis

_SERVICES = ("users_service", "destinations_service", "bookings_service", "notifications_service", "gateway_service")
_WORKERS_PER_SERVICE = 3  # 16 Valkey databases; the first is the platform's


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the worker's own names before Django reads its settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    run = os.environ.setdefault("TRAVEL_TEST_RUN", secrets.token_hex(4))  # workers inherit it
    os.environ["KAFKA_TOPIC_PREFIX"] = f"test.{run}.{worker}."
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if url := os.environ.get("REDIS_URL"):
        folder = early_config.inipath.parent.name if early_config.inipath else ""
        os.environ["REDIS_URL"] = _with_database(url, _valkey_database(folder, worker))
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Clone the test databases if a template is set, and remove the connection pool."""
    from django.conf import settings
    from django.db import connections

    if not settings.configured:
        return
    service = str(getattr(settings, "SERVICE_NAME", "")).upper()
    template = os.environ.get(f"{service}_TEST_DATABASE_TEMPLATE") or os.environ.get("TEST_DATABASE_TEMPLATE")
    for alias in connections:
        database = connections.settings[alias]
        if database["ENGINE"].endswith("postgresql"):
            database.get("OPTIONS", {}).pop("pool", None)
            if template:
                database["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session", autouse=True)
def flush_only_used_tables() -> Iterator[None]:
    """After a test with `transaction=True`, truncate only tables that have rows.

    Keep groups, permissions and content types.
    """
    from django.conf import settings

    if not (settings.configured and settings.DATABASES):
        yield
        return
    from shared.testing.flush import only_used_tables

    with only_used_tables():
        yield


@pytest.fixture(scope="session")
def kafka_topics() -> Iterator[None]:
    """Create every topic of the platform for this worker only."""
    from shared.testing.kafka import own_topics

    with own_topics():
        yield


@pytest.fixture
def valkey() -> Iterator[redis.Redis]:
    """This worker's Valkey database, empty before and after."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


def _valkey_database(folder: str, worker: str) -> int:
    service = _SERVICES.index(folder) if folder in _SERVICES else 0
    return 1 + service * _WORKERS_PER_SERVICE + int(worker.removeprefix("gw")) % _WORKERS_PER_SERVICE


def _with_database(url: str, database: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
