"""Sets a letter as HTML and as text.

The layout is MJML, compiled once per process to HTML that still holds its places; Django fills them, escaping each, so
that nothing a person is called or a place is named can become markup, a template tag or another mail.
"""

from functools import cache
from pathlib import Path
from typing import Final

from django.template import Context, Engine, Template
from mrml import to_html

from notifications_service.notifications.letters import Letter

_FOLDER: Final = Path(__file__).parent / "templates" / "notifications"
_ENGINE: Final = Engine(debug=False)
_ACCENTS: Final = {"good": "#2f9e7a", "plain": "#f2b84b", "sober": "#8fa3ad", "alert": "#d9694a"}


def html_of(letter: Letter) -> str:
    """Return the letter as a whole HTML document that mail clients understand."""
    return _html().render(_context(letter))


def text_of(letter: Letter) -> str:
    """Return the letter as plain text with the same words."""
    return _text().render(_context(letter)).strip() + "\n"


def _context(letter: Letter) -> Context:
    return Context({"letter": letter, "lang": letter.locale.value.lower(), "accent": _ACCENTS[letter.tone]})


@cache
def _html() -> Template:
    output = to_html((_FOLDER / "letter.mjml").read_text())
    return _ENGINE.from_string(output if isinstance(output, str) else output.content)


@cache
def _text() -> Template:
    return _ENGINE.from_string((_FOLDER / "letter.txt").read_text())
