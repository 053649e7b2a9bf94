"""The permissions of each group of staff in this service's admin. Superusers may do everything."""

from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

_READS: Final = (
    "view_booking", "view_bookingevent", "view_passenger", "view_seatinventory", "view_waitlistentry",
    "view_payment", "view_refund",
    "view_ledgerentry",
)  # fmt: skip
GROUPS: Final = {
    "support": (*_READS, "view_deadletter", "change_deadletter"),
    "booking_agent": (*_READS, "cancel_for_traveller"),
    "finance": (*_READS, "give_money_back", "view_webhook"),
}


def grant(sender: AppConfig, **_: Any) -> None:
    """Give the groups their permissions, after every migration. Permissions that people added stay."""
    for name, codenames in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(
            *Permission.objects.filter(
                codename__in=codenames, content_type__app_label__in=("bookings", "payments", "inbox")
            )
        )
