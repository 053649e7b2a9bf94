"""Render the content of a mail as HTML and as plain text.

The layout is MJML. It is compiled once per process to a Django template. Django escapes every value, so that a name
cannot become markup or a template tag.
"""

from functools import cache
from pathlib import Path
from typing import Final

from django.template import Context, Engine, Template
from mrml import to_html

from notifications_service.notifications.content import MailContent

_FOLDER: Final = Path(__file__).parent / "templates" / "notifications"
_ENGINE: Final = Engine(debug=False)
_ACCENTS: Final = {"good": "#2f9e7a", "plain": "#f2b84b", "sober": "#8fa3ad", "alert": "#d9694a"}


def html_of(content: MailContent) -> str:
    """Return the mail as an HTML document that mail clients understand."""
    return _html().render(_context(content))


def text_of(content: MailContent) -> str:
    """Return the mail as plain text with the same words."""
    return _text().render(_context(content)).strip() + "\n"


def _context(content: MailContent) -> Context:
    return Context({"mail": content, "lang": content.locale.value.lower(), "accent": _ACCENTS[content.tone]})


@cache
def _html() -> Template:
    output = to_html((_FOLDER / "mail.mjml").read_text())
    return _ENGINE.from_string(output if isinstance(output, str) else output.content)


@cache
def _text() -> Template:
    return _ENGINE.from_string((_FOLDER / "mail.txt").read_text())
