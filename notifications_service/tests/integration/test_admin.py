"""The admin: staff can read everything, edit nothing, and see names as text."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client

from notifications_service.billing.models import Invoice
from notifications_service.notifications.groups import grant_permissions
from notifications_service.notifications.models import Notification
from notifications_service.tests.factories import confirmed, handle
from shared.ids import uuid7
from shared.inbox import letters
from shared.inbox.models import DeadLetter
from shared.kafka.records import Record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def signed_in(*groups: str, superuser: bool = False) -> Client:
    """Return a client that is signed in as a member of these groups."""
    user = User.objects.create(username=f"{groups}@travel.example", is_staff=True, is_superuser=superuser)
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    client = Client()
    client.force_login(user, backend="shared.staff_sign_in.StaffBackend")
    return client


def dead_letter() -> DeadLetter:
    """Return a new dead letter with markup in it."""
    record = Record(
        topic="travel.users.user", partition=0, offset=7, key="k", headers=[("ce_id", b"1")], value=b"<b>x</b>"
    )
    letters.keep_dead_letter(
        consumer="notifications", record=record, fault=DeadLetter.Fault.MESSAGE, cause="<script>", attempts=1
    )
    return DeadLetter.objects.get()


def test_every_page_opens_and_escapes_its_values():
    with transaction.atomic():
        handle(confirmed(uuid7()))
        letter = dead_letter()
    client = signed_in(superuser=True)

    for path in (
        "notifications/notification/",
        f"notifications/notification/{Notification.objects.first().id}/change/",
        "billing/invoice/",
        f"billing/invoice/{Invoice.objects.get().id}/change/",
        "inbox/deadletter/",
        f"inbox/deadletter/{letter.id}/change/",
    ):
        answer = client.get(f"/admin/{path}")
        assert answer.status_code == 200, path
        assert b"<script></td>" not in answer.content
        assert b"<b>x</b>" not in answer.content


def test_support_retries_dead_letters_and_failed_mails_and_finance_does_not():
    with transaction.atomic():
        handle(confirmed(uuid7()))
        letter = dead_letter()
    Notification.objects.update(status="FAILED")
    grant_permissions(None)
    retry = {"action": "retry_selected", "_selected_action": [letter.id], "confirm": "yes"}
    again = {"action": "send_again", "_selected_action": [str(row.id) for row in Notification.objects.all()]}

    finance, support = signed_in("finance"), signed_in("support")
    assert finance.post("/admin/inbox/deadletter/", retry).status_code == 403
    finance.post("/admin/notifications/notification/", again)
    assert Notification.objects.filter(status="FAILED").count() == 2

    assert support.post("/admin/inbox/deadletter/", retry).status_code == 302
    assert support.post("/admin/notifications/notification/", again).status_code == 302
    letter.refresh_from_db()
    assert (letter.status, letter.resolved_by) == ("RETRYING", "('support',)@travel.example")
    assert Notification.objects.filter(status="PENDING").count() == 2


@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_an_issued_invoice_is_never_edited(page):
    with transaction.atomic():
        handle(confirmed(uuid7()))
    invoice = Invoice.objects.get()

    answer = signed_in(superuser=True).post(
        f"/admin/billing/invoice/{invoice.id}/{page}", {"number": "X", "post": "yes"}
    )

    assert answer.status_code == 403
    assert Invoice.objects.get().number == invoice.number
