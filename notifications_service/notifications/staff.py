"""What each group of staff may do in this service's admin; superusers may do everything."""

from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

_READS: Final = ("view_notification", "view_deliveryattempt", "view_invoice", "view_invoiceline")
GROUPS: Final = {
    "support": (*_READS, "change_notification", "view_deadletter", "change_deadletter"),
    "booking_agent": _READS,
    "finance": ("view_invoice", "view_invoiceline", "view_notification"),
}


def grant(sender: AppConfig, **_: Any) -> None:
    """Give the groups their permissions, after every migration; what staff changed by hand in addition stays."""
    for name, codenames in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(
            *Permission.objects.filter(
                codename__in=codenames, content_type__app_label__in=("notifications", "billing", "inbox")
            )
        )
