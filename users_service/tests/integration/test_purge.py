"""What is past its retention is deleted: by the command, and every hour by the gRPC process."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session as StaffSession
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from shared.ids import uuid7
from shared.testing import eventually, race
from users_service.accounts.housekeeping import housekeeping
from users_service.accounts.models import (
    AuditEntry,
    LinkPurpose,
    LinkRequest,
    PendingRegistration,
    PhoneCode,
    Session,
    User,
)
from users_service.accounts.services import purge
from users_service.tests.factories import UserFactory

OLD, KEPT = timedelta(hours=2), timedelta(minutes=30)


def run(*options: str) -> str:
    output = StringIO()
    call_command("purge_users_data", *options, stdout=output)
    return output.getvalue()


def registration(expires_at: datetime) -> PendingRegistration:
    return PendingRegistration.objects.create(
        email="ann@example.org", password="x", first_name="Ann", last_name="Ng", created_at=expires_at,
        expires_at=expires_at,
    )  # fmt: skip


def link(expires_at: datetime, **subject: object) -> LinkRequest:
    return LinkRequest.objects.create(purpose=LinkPurpose.VERIFY_EMAIL, expires_at=expires_at, **subject)


def session(user: User, **times: datetime) -> Session:
    now = timezone.now()
    return Session.objects.create(
        user=user, current_jti=uuid7(), rotated_at=now, **{"expires_at": now + timedelta(days=30), **times}
    )


@pytest.fixture
def rows() -> dict[str, set[object]]:
    """Make rows of every kind. Return the ids of those that stay, by the name of their model."""
    now, user = timezone.now(), UserFactory()
    old, fresh = registration(now - OLD), registration(now - KEPT)
    link(now - OLD, user=user), link(now + OLD, registration=old)
    PhoneCode.objects.create(user=user, phone="+33612345678", expires_at=now - OLD, created_at=now)
    session(user, revoked_at=now - timedelta(days=181))
    session(user, expires_at=now - timedelta(days=181))
    StaffSession.objects.create(session_key="old", session_data="", expire_date=now - OLD)
    StaffSession.objects.create(session_key="fresh", session_data="", expire_date=now + OLD)
    AuditEntry.objects.create(user_id=user.id, action="signed_in", at=now - timedelta(days=2_000))
    code = PhoneCode.objects.create(user=user, phone="+33612345678", expires_at=now - KEPT, created_at=now)
    kept = [link(now - KEPT, user=user), link(now + OLD, registration=fresh), link(now + OLD)]
    sessions = [session(user), session(user, revoked_at=now - timedelta(days=179))]
    return {
        "PendingRegistration": {fresh.id},
        "LinkRequest": {row.id for row in kept},
        "PhoneCode": {code.id},
        "Session": {row.id for row in sessions},
    }


def remaining() -> dict[str, set[object]]:
    models = (PendingRegistration, LinkRequest, PhoneCode, Session)
    return {model.__name__: set(model.objects.values_list("id", flat=True)) for model in models}


@pytest.mark.django_db
def test_only_what_is_past_its_retention_is_deleted(rows):
    before = remaining()

    output = run()

    assert "Nothing was changed. Add --apply to delete them." in output
    assert remaining() == before
    assert run("--apply").strip().endswith("7 rows deleted.")
    assert remaining() == rows
    assert list(StaffSession.objects.values_list("session_key", flat=True)) == ["fresh"]
    assert AuditEntry.objects.count() == 1
    assert run("--apply").strip().endswith("0 rows deleted.")


@pytest.mark.django_db
def test_many_rows_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr(purge, "BATCH", 2)
    user = UserFactory()
    for _ in range(5):
        link(timezone.now() - OLD, user=user)

    assert list(purge.purge("expired links")) == [2, 2, 1]


@pytest.mark.django_db
def test_apply_and_dry_run_exclude_each_other():
    with pytest.raises(CommandError):
        run("--apply", "--dry-run")


@pytest.mark.django_db(transaction=True)
def test_a_purge_never_waits_for_a_row_that_is_in_use(rows):
    """Seen failing (a time-out of the lock) without SKIP LOCKED, and while a registration was deleted before its links."""
    in_use = LinkRequest.objects.get(registration__expires_at__lt=timezone.now() - timedelta(hours=1))

    with transaction.atomic():
        LinkRequest.objects.select_for_update().get(id=in_use.id)
        Session.objects.select_for_update().filter(revoked_at__lt=timezone.now() - timedelta(days=180)).get()
        [outcome] = race([lambda: run("--apply")])

    assert str(outcome).strip().endswith("4 rows deleted."), outcome
    assert run("--apply").strip().endswith("3 rows deleted.")
    assert remaining() == rows


@pytest.mark.django_db(transaction=True)
def test_two_purges_at_the_same_time_delete_each_row_once(rows):
    outcomes = race([lambda: run("--apply")] * 4)

    assert sum(int(str(outcome).split()[-3]) for outcome in outcomes) == 7
    assert remaining() == rows


@pytest.mark.django_db(transaction=True)
def test_the_grpc_process_purges_by_itself_and_survives_a_failure(rows, monkeypatch):
    """Seen failing (nothing deleted) when an error ended the thread."""
    real, failures = purge.purge, []

    def fail_once(name):
        if not failures:
            failures.append(name)
            raise OperationalError("the database is away")
        return real(name)

    monkeypatch.setattr(purge, "purge", fail_once)

    with housekeeping(first=0.01, every=0.05):
        eventually(lambda: remaining() == rows)

    assert failures
