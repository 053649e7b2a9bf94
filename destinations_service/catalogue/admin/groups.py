"""The permissions of each group of staff in this service's admin. Superusers may do everything."""

from collections.abc import Iterator
from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import models

from destinations_service.catalogue.models.history import TRACKED, history_of

EDITORS: Final = "catalogue_editor"
_ALL: Final = ("view", "add", "change", "delete")
_VIEW: Final = ("view",)
# What editors may do with a model, if not everything. A departure is never deleted: bookings refer to it. Renames and
# imports write the other ones.
_LESS: Final = {
    "departure": ("view", "add", "change"), "slugredirect": ("view", "delete"), "importrun": _VIEW,
    "importedplace": _VIEW,
}  # fmt: skip
_DERIVED: Final = "search"  # the names of the models of the search index begin with it


def grant(sender: AppConfig, **_: Any) -> None:
    """Give catalogue editors their permissions, after every migration. Permissions that people added stay.

    A model that is new to the catalogue is theirs too, without a line here.
    """
    group, _created = Group.objects.get_or_create(name=EDITORS)
    codenames = [f"{action}_{model._meta.model_name}" for model in sender.get_models() for action in _actions(model)]
    group.permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label=sender.label))


def _actions(model: type[models.Model]) -> tuple[str, ...]:
    name = str(model._meta.model_name)
    if model in set(_histories()):
        return _VIEW
    return () if name.startswith(_DERIVED) else _LESS.get(name, _ALL)


def _histories() -> Iterator[type[models.Model]]:
    for model in TRACKED:
        yield history_of(model)
