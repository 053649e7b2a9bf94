"""Every page of mailed links in Chromium: axe finds nothing, it fits a small screen, and the keyboard is enough."""

from pathlib import Path
from typing import Any

import pytest

from gateway_service.gateway.pages import texts
from gateway_service.gateway.pages.links import PAGES
from gateway_service.tests.backends import Backends
from gateway_service.tests.browser.chromium import Tab
from gateway_service.tests.page_states import METHODS, PASSWORD, STATES, TOKEN, State, add_link
from shared.text import Locale

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
WINDOWS = {"small": (360, 740), "desktop": (1280, 900)}
FOCUSABLE = "a[href], button, input:not([type=hidden], [hidden])"

pytestmark = pytest.mark.usefixtures("valkey")


async def show(tab: Tab, address: str, backends: Backends, state: State, locale: Locale) -> None:
    """Open the page in the state. A state after the form is reached by keyboard, as a person would."""
    state.prepare(backends.world, locale=locale)
    await tab.open(f"http://{address}/{state.page.path}?token={TOKEN}", language=locale.lower())
    if state.posts:
        await focus(tab, "input[type=password]" if state.page.asks_password else "button")
        if state.page.asks_password:
            await tab.type(PASSWORD)
        await tab.press("Enter", loads=True)


async def focus(tab: Tab, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(10):
        if await tab.evaluate(f"document.activeElement.matches('{selector}')"):
            return
        await tab.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("state", STATES, ids=str)
async def test_axe_finds_nothing_in_any_window_and_scheme(
    tab: Tab, address: str, backends: Backends, pictures: Path, state: State, locale: Locale
) -> None:
    """Seen failing (color-contrast) with a lighter --muted, and (scrollWidth) with a main of 30rem."""
    await show(tab, address, backends, state, locale)
    assert await tab.evaluate("document.documentElement.lang") == locale.lower()
    await tab.evaluate(AXE)
    for window, (width, height) in WINDOWS.items():
        for scheme in ("light", "dark"):
            await tab.look(width=width, height=height, scheme=scheme)
            found: dict[str, Any] = await tab.evaluate("axe.run(document)")
            assert not described(found["violations"] + found["incomplete"]), (window, scheme)
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width
            (pictures / f"{state}-{locale.lower()}-{window}-{scheme}.png").write_bytes(await tab.picture())
    assert tab.complaints == []


def described(results: list[dict[str, Any]]) -> list[str]:
    """Return what axe found, in one line each."""
    return [f"{rule['id']}: {node['html']} {node['failureSummary']}" for rule in results for node in rule["nodes"]]


@pytest.mark.parametrize("state", STATES, ids=str)
async def test_tab_reaches_every_control_and_the_focus_is_visible(
    tab: Tab, address: str, backends: Backends, state: State
) -> None:
    """Seen failing (no outline) without the rule of :focus-visible, with `outline: none`."""
    await show(tab, address, backends, state, Locale.EN)
    await tab.look(width=360, height=740, scheme="light")
    refused = state.name == "refused"
    assert await tab.evaluate("document.activeElement.id") == ("new-password" if refused else "")
    await tab.evaluate(
        "document.activeElement.blur(), document.body.setAttribute('tabindex', '-1'), document.body.focus()"
    )

    total = await tab.evaluate(f"document.querySelectorAll('{FOCUSABLE}').length")
    for index in range(total):
        await tab.press("Tab")
        reached, style, width = await tab.evaluate(
            f"(e => [[...document.querySelectorAll('{FOCUSABLE}')].indexOf(e), getComputedStyle(e).outlineStyle,"
            " parseFloat(getComputedStyle(e).outlineWidth)])(document.activeElement)"
        )
        assert (reached, style) == (index, "solid")
        assert width >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
async def test_a_browser_uses_the_link_and_passes_on_no_referrer(
    tab: Tab, address: str, backends: Backends, page: Any
) -> None:
    """A page without referrer makes the browser send `Origin: null`. Seen failing (403) when that was refused."""
    await show(tab, address, backends, State(page, "done", 200, posts=True), Locale.FR)

    assert await tab.evaluate("document.querySelector('h1').textContent") == page.texts.done_title.fr
    assert [name for name, _, _ in backends.world.requests] == ["DescribeLink", METHODS[page.path]]
    [origin] = [sent["origin"] for sent in tab.requests if "origin" in sent]
    assert origin == "null"
    assert not [sent for sent in tab.requests if "referer" in sent]


async def test_the_language_is_switched_by_keyboard(tab: Tab, address: str, backends: Backends) -> None:
    page = PAGES[0]
    add_link(backends.world, page)
    await tab.open(f"http://{address}/{page.path}?token={TOKEN}", language="en")

    await focus(tab, "nav a")
    await tab.press("Enter", loads=True)

    assert await tab.evaluate("document.querySelector('h1').textContent") == texts.VERIFY_EMAIL.title.fr
    assert not [sent for sent in tab.requests if "referer" in sent]


async def test_a_short_password_is_refused_by_the_browser_before_it_is_sent(
    tab: Tab, address: str, backends: Backends
) -> None:
    page = next(page for page in PAGES if page.asks_password)
    add_link(backends.world, page)
    await tab.open(f"http://{address}/{page.path}?token={TOKEN}", language="en")

    await focus(tab, "input[type=password]")
    await tab.type("short")
    await tab.press("Enter")

    assert await tab.evaluate("document.activeElement.validity.tooShort")
    assert [name for name, _, _ in backends.world.requests] == ["DescribeLink"]
