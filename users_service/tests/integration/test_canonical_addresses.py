"""The migration that rewrites addresses to the form that is stored today."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from users_service.accounts.models import PendingRegistration, User
from users_service.tests.factories import UserFactory

migration = import_module("users_service.accounts.migrations.0005_canonical_addresses")

pytestmark = pytest.mark.django_db


def test_the_owner_of_an_address_in_another_form_can_sign_in(visitor, capsys):
    """Seen failing (401) without the update."""
    user, other = UserFactory(email="ann@bücher.example"), UserFactory(email="zoë@example.org")
    now = timezone.now()
    for email in ("bob@bücher.example", "nobody"):
        PendingRegistration.objects.create(email=email, password="!", created_at=now, expires_at=now)

    migration.rewrite(apps, None)
    printed = capsys.readouterr().out
    migration.rewrite(apps, None)

    assert User.objects.get(id=user.id).email == "ann@xn--bcher-kva.example"
    assert visitor.login("Ann@BÜCHER.example").status_code == 200
    assert User.objects.get(id=other.id).email == "zoë@example.org"
    assert printed == f"The address of account {other.id} stays as it is, because it is not valid.\n"
    addresses = PendingRegistration.objects.order_by("email").values_list("email", flat=True)
    assert list(addresses) == ["bob@xn--bcher-kva.example", "nobody"]


def test_an_address_that_another_account_has_stays(capsys):
    """Of two accounts that have no canonical address, the older one gets it.

    Seen failing (IntegrityError) without the condition of the update.
    """
    canonical, clash = UserFactory(email="ann@xn--bcher-kva.example"), UserFactory(email="ann@bücher.example")
    older, newer = UserFactory(email="bob@bücher.example"), UserFactory(email="bob@bu\u0308cher.example")

    migration.rewrite(apps, None)

    addresses = [User.objects.get(id=user.id).email for user in (canonical, clash, older, newer)]
    assert addresses == [
        "ann@xn--bcher-kva.example",
        "ann@bücher.example",
        "bob@xn--bcher-kva.example",
        "bob@bu\u0308cher.example",
    ]
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"The address of account {user.id} stays as it is, because another account has its canonical form."
        for user in (clash, newer)
    ]
