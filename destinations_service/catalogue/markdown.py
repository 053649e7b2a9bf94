"""Descriptions are Markdown (CommonMark) without HTML. Whatever was written, readers get nothing that could run.

    clean(source)    -> the Markdown that readers get: no HTML, and links only to https and mailto
    to_html(source)  -> the same, as HTML of the elements in TAGS

Both keep their latest answers, and the usual text passes `clean` after a few searches for single characters.
"""

import re
from functools import lru_cache
from html import unescape
from typing import Final

import nh3
from markdown_it import MarkdownIt

LONGEST: Final = 5_000
TAGS: Final = frozenset({"p", "br", "strong", "em", "ul", "ol", "li", "h3", "h4", "blockquote", "code", "a", "hr"})
SCHEMES: Final = frozenset({"https", "mailto"})
# A heading of the text is below the headings of the page. The text of other elements stays, without the element.
_HEADINGS: Final = {"h1": "h3", "h2": "h4", "h5": "h4", "h6": "h4"}
_ROUNDS: Final = 8
_UNSAFE: Final = re.compile(r"(?i)(?:(?:java|vb)script|\b(?:data|file))\s*\\?:(?=\S)")
_LINK: Final = re.compile(r"(!?\[[^\[\]]*\])(\(|\[|:)")
_AUTOLINK: Final = re.compile(r"<(https://[^\s<>\"'`]{1,500})>")
_PARSER: Final = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).disable("image")


def clean(source: str) -> str:
    """Return a description without HTML, comments and entities, and without links that are not https or mailto.

    A text with a link to another scheme loses its links and keeps their texts. Text beyond LONGEST is cut off.
    """
    if "<" not in source and "&" not in source and ":" not in source and len(source) <= LONGEST:
        return source
    return _cleaned(source)


@lru_cache(maxsize=4096)
def to_html(source: str) -> str:
    """Return a description as HTML that a page can contain as it is."""
    html = _PARSER.render(clean(source))
    for heading, allowed in _HEADINGS.items():
        html = html.replace(f"<{heading}>", f"<{allowed}>").replace(f"</{heading}>", f"</{allowed}>")
    return nh3.clean(
        html, tags=set(TAGS), attributes={"a": {"href"}}, url_schemes=set(SCHEMES), link_rel="noopener nofollow"
    ).strip()


@lru_cache(maxsize=4096)
def _cleaned(source: str) -> str:
    text = source[:LONGEST]
    if "<" in text or "&" in text:
        text = _without_html(_AUTOLINK.sub(r"[\1](\1)", text))
    if ":" not in text:
        return text
    while _UNSAFE.search(text):  # a scheme may surround another one
        text = _UNSAFE.sub("", text)
    return text if _links_are_safe(text) else _LINK.sub(r"\1 \2", text)


def _without_html(text: str) -> str:
    """Remove HTML until nothing more is found: an entity may hide an element, and that another one."""
    for _ in range(_ROUNDS):
        shorter = unescape(nh3.clean(text, tags=set()))
        if shorter == text:
            return text
        text = shorter
    return text.replace("<", "").replace("&", "")


def _links_are_safe(text: str) -> bool:
    if "](" not in text and "]:" not in text:
        return True
    return all(
        str(token.attrs.get("href", "")).partition(":")[0].lower() in SCHEMES
        for inline in _READER.parse(text)
        for token in inline.children or ()
        if token.type == "link_open"
    )


class _Reader(MarkdownIt):
    """Reads every link as one, so that each is looked at, and not only those that would be shown as links."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name of the library
        return True


_READER: Final = _Reader("commonmark", {"html": False, "maxNesting": 20}).disable("image")
