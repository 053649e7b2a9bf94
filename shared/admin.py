"""What the admins of all services share."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class ReadOnly:
    """A page or table of the admin that staff can read and nobody can change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to delete rows."""
        return False


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> SafeString:
    """Return an HTML table in the admin's style, or `empty` if there are no rows. Every cell is escaped."""
    cells = [format_html_join("", '<td class="px-3 py-1">{}</td>', ((cell,) for cell in row)) for row in rows]
    if not cells:
        return format_html("<span>{}</span>", empty)
    head = format_html_join("", '<th class="px-3 py-1 text-left font-semibold">{}</th>', ((name,) for name in columns))
    body = format_html_join(
        "", '<tr class="border-t border-base-200 dark:border-base-800">{}</tr>', ((row,) for row in cells)
    )
    return format_html('<table class="w-full"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)
