"""The limits of a service's database connections, read from the environment."""

import pytest

from shared.settings.database import database


@pytest.mark.parametrize(
    ("given", "limit"), [({}, "15000"), ({"DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS": "1000"}, "1000")]
)
def test_the_limit_of_an_idle_transaction_is_a_variable(given, limit, monkeypatch):
    """Seen failing with the limit written into the settings."""
    monkeypatch.delenv("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS", raising=False)
    monkeypatch.setenv("USERS_DATABASE_URL", "postgres://users:secret@localhost:5432/users")
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    options = database("users")["default"]["OPTIONS"]["options"]

    assert options.endswith(f" -c idle_in_transaction_session_timeout={limit}")
