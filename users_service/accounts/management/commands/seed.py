"""`manage users seed`: make the staff account with its groups, and verified demo travellers."""

import os
import secrets
from argparse import ArgumentTypeError
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from users_service.accounts import passwords, signing
from users_service.accounts.models import Profile, User

ADMIN = "admin@travel.example"
GROUPS = ("catalogue_editor", "booking_agent", "finance", "support")
SUPPORT_MAY_VIEW = ("user", "profile", "session", "auditentry")
MOST_TRAVELLERS = 100_000
BATCH = 1_000  # travellers


def count(text: str) -> int:
    """Return the number of travellers. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > MOST_TRAVELLERS:
        raise ArgumentTypeError(f"a whole number from 0 to {MOST_TRAVELLERS} is expected, not {text[:20]!r}")
    return int(text)


class Command(BaseCommand):
    """Make what is missing. A repeated run changes nothing that exists."""

    help = (
        "Make the staff account and its groups; with --travellers N also the accounts traveller-0001@demo.example to N."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the number of travellers."""
        parser.add_argument(
            "--travellers", type=count, default=0, metavar="N", help="how many verified demo travellers there should be"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing. Rows are computed outside the transactions that write them."""
        self._staff()
        if options["travellers"]:
            self._travellers(options["travellers"])
        signing.make_first_key()

    def _staff(self) -> None:
        given = os.environ.get("ADMIN_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        is_missing = not User.objects.filter(email=ADMIN).exists()
        hashed, now = passwords.hashed(password) if is_missing else "", timezone.now()
        with transaction.atomic():
            for name in GROUPS:
                Group.objects.get_or_create(name=name)
            Group.objects.get(name="support").permissions.add(
                *Permission.objects.filter(
                    content_type__app_label="accounts", codename__in=[f"view_{model}" for model in SUPPORT_MAY_VIEW]
                )
            )
            if not is_missing:
                return
            admin = User.objects.create(
                email=ADMIN, password=hashed, email_verified_at=now, is_staff=True, is_superuser=True
            )
            Profile.objects.create(user=admin, first_name="Staff", last_name="Account")
            admin.groups.set(Group.objects.filter(name__in=GROUPS))
        self.stdout.write(f"staff account {ADMIN} made" + ("" if given else f" with password {password}"))

    def _travellers(self, wanted: int) -> None:
        """Make the missing travellers, one transaction per batch, so that an interrupted run can be continued."""
        given = os.environ.get("DEMO_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        emails = [f"traveller-{number:04}@demo.example" for number in range(1, wanted + 1)]
        known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
        hashed, now = passwords.hashed(password), timezone.now()  # all have the same password, so one hash is enough
        users = [User(email=email, password=hashed, email_verified_at=now) for email in emails if email not in known]
        for start in range(0, len(users), BATCH):
            batch = users[start : start + BATCH]
            profiles = [Profile(user=user, first_name="Demo", last_name="Traveller") for user in batch]
            with transaction.atomic():
                User.objects.bulk_create(batch)
                Profile.objects.bulk_create(profiles)
        self.stdout.write(f"{len(users)} travellers made" + ("" if given else f" with password {password}"))
