"""Pages of the admin for tests: open one, and return what its form would send unchanged."""

import re
from typing import Any

from django.db.models import Model
from django.test import Client


def address(row: Model) -> str:
    """Return the address of the page on which a row is changed."""
    return f"/admin/catalogue/{row._meta.model_name}/{row.pk}/change/"


def opened(editor: Client, row: Model) -> dict[str, Any]:
    """Open the page of a row, and return the values that its form would send unchanged."""
    response = editor.get(address(row))
    inlines = [inline.formset for inline in response.context["inline_admin_formsets"]]
    forms = [response.context["adminform"].form, *(part for inline in inlines for part in inline.forms)]
    sent = {}
    for bound in (bound for part in [*forms, *(inline.management_form for inline in inlines)] for bound in part):
        value = bound.value()
        sent[bound.html_name] = ",".join(value) if isinstance(value, list) else "" if value is None else str(value)
    (sent["seen_version"],) = versions(response)
    return {name: value for name, value in sent.items() if not name.endswith("-DELETE")}


def versions(response: Any) -> list[str]:
    """Return the version that a page carries."""
    return re.findall(r'name="seen_version" value="(\d+)"', response.content.decode())
