"""What a screen reader and a keyboard need of each page, as far as the HTML and the style sheet show it.

`./manage_all.py test browser` checks the rest in a real browser.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from gateway_service.tests.backends import Backends
from gateway_service.tests.page_states import STATES, State, opened
from shared.text import Locale

STYLE = Path(__file__).parents[2] / "gateway/static/gateway/pages.css"
TEXT_CONTRAST, GRAPHIC_CONTRAST = 4.5, 3.0  # WCAG 2.2, level AA


class Document(HTMLParser):
    """The elements of a page, in order, with their attributes and texts."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[int] = []
        self.feed(html)
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in self.VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for index in self.open:
            self.texts[index] += data

    def of(self, *tags: str) -> list[dict[str, str]]:
        """Return the attributes of the elements with these tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]

    def text(self, tag: str) -> str:
        """Return the text of the only element with this tag."""
        [text] = [self.texts[index].strip() for index, (name, _) in enumerate(self.elements) if name == tag]
        return text


@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("state", STATES, ids=str)
async def test_each_page_has_what_a_screen_reader_needs(
    client: httpx.AsyncClient, backends: Backends, valkey: object, state: State, locale: Locale
) -> None:
    page = Document((await opened(client, backends, state, locale)).text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]

    assert page.of("html") == [{"lang": locale.lower()}]
    assert page.text("h1") in page.text("title")
    assert [len(page.of(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    assert len(ids) == len(set(ids))
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    labelled = {label["for"] for label in page.of("label")}
    for field in page.of("input"):
        if field["type"] != "hidden" and "hidden" not in field:
            assert field["id"] in labelled
            assert set(field["aria-describedby"].split()) <= set(ids)
            assert field.get("aria-invalid") == ("true" if state.name == "refused" else None)
    for link in page.of("a"):
        assert not link["href"].startswith("#") or link["href"][1:] in ids
    assert all(nav["aria-label"] for nav in page.of("nav"))
    assert all(
        text for tag, text in zip(page.elements, page.texts, strict=True) if tag[0] in ("a", "button", "dt", "dd")
    )


@pytest.mark.parametrize("state", STATES, ids=str)
async def test_no_page_needs_a_script_or_anything_of_another_site(
    client: httpx.AsyncClient, backends: Backends, valkey: object, state: State
) -> None:
    page = Document((await opened(client, backends, state, Locale.EN)).text)

    assert page.of("script", "iframe", "img", "object", "style") == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    addresses = [attributes.get("href") or attributes.get("src") or "" for _, attributes in page.elements]
    assert not [address for address in addresses if "//" in address]


async def test_a_refused_password_is_focused_and_described(
    client: httpx.AsyncClient, backends: Backends, valkey: object
) -> None:
    [state] = [state for state in STATES if state.name == "refused"]
    page = Document((await opened(client, backends, state, Locale.EN)).text)
    [field] = [field for field in page.of("input") if field["type"] == "password"]
    by_id = {
        attributes["id"]: page.texts[index] for index, (_, attributes) in enumerate(page.elements) if "id" in attributes
    }

    assert (field["autocomplete"], field["minlength"]) == ("new-password", "10")
    assert "autofocus" in field
    assert by_id["password-refusal"] in [by_id[name] for name in field["aria-describedby"].split()]
    assert {"href": "#new-password"} in page.of("a")
    assert [attributes for attributes in page.of("div") if attributes.get("role") == "alert"]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of the style sheet by their names, light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)
    colours = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
    named = dict(colours.findall(light))
    return {"light": named, "dark": named | dict(colours.findall(dark))}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_contrast_is_sufficient(scheme: str) -> None:
    """Texts on the colours below them, and the edges of fields, buttons and the focus against what is around them."""
    colours = schemes()[scheme]
    texts = {
        "card": ("ink", "strong", "muted", "link", "error"),
        "panel": ("ink", "muted", "link"),
        "brand": ("brand-ink", "brand-muted"),
        "action": ("action-ink",),
        "action-hover": ("action-ink",),
        "error-panel": ("error",),
    }
    graphics = {"card": ("field", "action", "link", "error"), "panel": ("link",), "error-panel": ("link", "error")}
    too_low = [
        (name, ground, round(contrast(colours[name], colours[ground]), 2))
        for pairs, least in ((texts, TEXT_CONTRAST), (graphics, GRAPHIC_CONTRAST))
        for ground, names in pairs.items()
        for name in names
        if contrast(colours[name], colours[ground]) < least
    ]

    assert too_low == []
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_colour_of_the_style_sheet_has_a_name_and_focus_is_visible() -> None:
    """A colour outside of :root would escape the test of contrasts."""
    rules = re.sub(r":root \{.*?\}", "", STYLE.read_text(), flags=re.DOTALL)

    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb|hsl|opacity", rules) == []
    assert ":focus-visible { outline: 3px solid var(--link)" in rules
    assert "outline: none" not in rules


async def test_the_style_sheet_is_served(client: httpx.AsyncClient) -> None:
    style = await client.get("/static/gateway/pages.css")

    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css")
