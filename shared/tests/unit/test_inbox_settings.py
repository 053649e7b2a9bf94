"""The inbox remembers an event for longer than Kafka may deliver it again."""

from datetime import timedelta

import pytest

from shared.settings import inbox


def test_the_inbox_remembers_for_30_days_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("INBOX_RETENTION_DAYS", raising=False)
    assert inbox.retention() == timedelta(days=30)

    monkeypatch.setenv("INBOX_RETENTION_DAYS", "8")
    assert inbox.retention() == timedelta(days=8)


@pytest.mark.parametrize("days", ["7", "0", "-1", "a week"])
def test_a_shorter_memory_than_kafkas_ends_the_process(monkeypatch, capsys, days):
    """Seen failing (7 and 0 accepted) without the check: an event could take effect twice."""
    monkeypatch.setenv("INBOX_RETENTION_DAYS", days)

    with pytest.raises(SystemExit):
        inbox.retention()

    assert "INBOX_RETENTION_DAYS is malformed" in capsys.readouterr().err
