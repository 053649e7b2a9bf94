"""The permissions of each staff group in this service's admin. A superuser has every permission."""

from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

_READ: Final = (
    "view_notification",
    "view_deliveryattempt",
    "view_pausedchannel",
    "view_undeliverable",
    "view_invoice",
    "view_invoiceline",
)
GROUPS: Final = {
    "support": (
        *_READ,
        "change_notification",
        "change_pausedchannel",
        "change_undeliverable",
        "view_deadletter",
        "change_deadletter",
    ),
    "booking_agent": _READ,
    "finance": ("view_invoice", "view_invoiceline", "view_notification"),
}


def grant_permissions(sender: AppConfig, **_: Any) -> None:
    """Give the groups their permissions after every migration. Permissions that staff added by hand stay."""
    for name, codenames in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(
            *Permission.objects.filter(
                codename__in=codenames, content_type__app_label__in=("notifications", "billing", "inbox")
            )
        )
