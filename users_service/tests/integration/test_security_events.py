"""What happened to an account, as its owner sees it: newest first, refusals included, nobody else's."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared.ids import uuid7
from shared.testing.cursors import BAD_CURSORS, changed
from users_service.accounts import services
from users_service.accounts.contracts import Device
from users_service.accounts.domain import AuditAction, InvalidCredentials
from users_service.accounts.models import AuditEntry
from users_service.tests.conftest import Visitor
from users_service.tests.factories import PASSWORD, UserFactory

HERE = Device("198.51.100.7", "a browser")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


def sign_in(user):
    return services.log_in(email=user.email, password=PASSWORD, device=HERE)


@pytest.mark.django_db(transaction=True)
def test_an_owner_sees_what_happened_newest_first_with_what_was_refused(visitor):
    user = UserFactory()
    Visitor("192.0.2.9").login(user.email, "wrong", **{"user-agent": "Evil\x7f"})
    token = sign_in(user).access_token
    visitor.send("PATCH", "profile/", {"first_name": "Eve"}, token=token)
    Visitor().login(UserFactory().email)

    answer = visitor.send("GET", "profile/security-events/", token=token).json()

    assert [(row["type"], row["ip_address"], row["user_agent"]) for row in answer["results"]] == [
        ("profile_updated", visitor.address, ""),
        ("signed_in", "198.51.100.7", "a browser"),
        ("sign_in_refused", "192.0.2.9", "Evil"),
    ]
    assert answer["next"] is answer["previous"] is None
    assert {row["type"] for row in answer["results"]} <= set(AuditAction)


def test_pages_have_every_event_once_even_of_one_instant(visitor):
    user = UserFactory()
    token = sign_in(user).access_token
    now = timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(user_id=user.id, action=AuditAction.SIGN_IN_REFUSED, at=now - timedelta(seconds=number // 3))
        for number in range(7)
    )

    seen, path = [], "profile/security-events/?limit=3"
    while path:
        page = visitor.send("GET", path, token=token).json()
        seen += page["results"]
        path = page["next"] and page["next"].split("/api/v1/")[1]

    assert len(seen) == 8
    assert [row["at"] for row in seen] == sorted((row["at"] for row in seen), reverse=True)


def test_a_malformed_cursor_is_refused(visitor):
    token = sign_in(UserFactory()).access_token
    visitor.send("PATCH", "profile/", {"first_name": "Eve"}, token=token)
    following = visitor.send("GET", "profile/security-events/?limit=1", token=token).json()["next"]
    cursor = following.split("cursor=")[1]

    for bad in (*BAD_CURSORS, *changed(cursor)):
        answer = visitor.send("GET", f"profile/security-events/?cursor={bad}", token=token)
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT"), bad
        assert answer.json()["errors"][0]["field"] == "cursor"
    for query in ("limit=0", "limit=101", "order=at"):
        assert visitor.send("GET", f"profile/security-events/?{query}", token=token).status_code == 400


def test_security_events_need_a_token(visitor):
    assert visitor.send("GET", "profile/security-events/").status_code == 401


def test_a_wrong_password_of_a_known_and_of_an_unknown_address_cause_the_same_statements():
    """Seen failing (one statement less) when an unknown address wrote no audit entry."""

    def statements(email):
        with (
            CaptureQueriesContext(connection) as captured,
            pytest.raises(InvalidCredentials),
        ):
            services.log_in(email=email, password="not the password", device=HERE)
        return [re.split(r" VALUES | = '|SAVEPOINT", query["sql"])[0] for query in captured.captured_queries]

    user, closed = UserFactory(), UserFactory(is_active=False)
    known, unknown, of_closed = statements(user.email), statements("nobody@example.org"), statements(closed.email)

    assert known == unknown == of_closed
    entries = AuditEntry.objects.order_by("id").values_list("user_id", "action", "ip_address", "user_agent")
    assert list(entries) == [
        (user.id, "sign_in_refused", "198.51.100.7", "a browser"),
        (None, "sign_in_refused", "198.51.100.7", "a browser"),
        (closed.id, "sign_in_refused", "198.51.100.7", "a browser"),
    ]


def test_reading_events_uses_the_index():
    user = UserFactory()
    now = timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(user_id=uuid7(), action=AuditAction.SIGNED_IN, at=now) for _ in range(5_000)
    )
    AuditEntry.objects.create(user_id=user.id, action=AuditAction.SIGNED_IN, at=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_auditentry")

    plan = AuditEntry.objects.filter(user_id=user.id).order_by("-at", "-id")[:21].explain()

    assert "audit_of_account" in plan
    assert "Sort" not in plan
