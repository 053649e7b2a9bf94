"""Every page of mailed links in every state, for the tests of their behaviour, their structure and their looks."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from contracts.travel.common.v1 import common_pb2
from contracts.travel.users.v1 import users_pb2 as u
from gateway_service.gateway.pages.links import PAGES, LinkPage
from gateway_service.tests.backends import Backends
from gateway_service.tests.world import TokenInvalid, World, timestamp
from shared.errors import DomainError, Invalid, RateLimited, Unavailable
from shared.text import Locale, Text

TOKEN = "Tq3-the_secret_of_the_link_0123456789abcdefgh"
EMAIL = "zoe.with-a-rather-long-name.martin-dupont@mail.example.org"
PASSWORD = "correct horse battery staple"
FORM = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}  # what browsers send from a page without referrer
METHODS = {
    "verify-email": "VerifyEmail",
    "reset-password": "ResetPassword",
    "confirm-email-change": "ConfirmEmailChange",
    "undo-email-change": "UndoEmailChange",
    "not-me": "DisownChange",
}


class WeakPassword(Invalid):
    code = "WEAK_PASSWORD"
    text = Text(en="A password has 10 to 128 characters.", fr="Un mot de passe compte de 10 à 128 caractères.")


def add_link(world: World, page: LinkPage, *, locale: Locale = Locale.EN, first_name: str = "Zoë") -> None:
    """Add a link of the page, with TOKEN, to the fake of users_service."""
    world.links[TOKEN] = u.DescribeLinkResponse(
        use=page.use,
        email=EMAIL,
        first_name=first_name if page.path == "verify-email" else "",
        requested_at=timestamp(),
        expires_at=timestamp(1),
        locale=common_pb2.LOCALE_FR if locale is Locale.FR else common_pb2.LOCALE_EN,
    )


@dataclass(frozen=True, slots=True)
class State:
    """One page in one state: how the fake of users_service answers, and the status that the page then has."""

    page: LinkPage
    name: str
    status: int
    posts: bool = False
    refusal: DomainError | None = None
    has_link: bool = True

    def __str__(self) -> str:
        return f"{self.page.path}-{self.name}"

    def prepare(self, world: World, *, locale: Locale = Locale.EN) -> None:
        """Make the fake of users_service answer as in this state."""
        world.links.clear()
        world.refusals.clear()
        if self.has_link:
            add_link(world, self.page, locale=locale)
        if self.refusal is not None:
            world.refusals[METHODS[self.page.path] if self.posts else "DescribeLink"] = self.refusal

    def fields(self, locale: Locale) -> dict[str, str]:
        """Return the fields that the form of the page sends."""
        password = {"new_password": PASSWORD} if self.page.asks_password else {}
        return {"token": TOKEN, "lang": locale.lower(), **password}


def states() -> Iterator[State]:
    """Yield every page in every state."""
    for page in PAGES:
        yield State(page, "asked", 200)
        yield State(page, "gone", 410, has_link=False)
        yield State(page, "unavailable", 503, refusal=Unavailable())
        yield State(page, "done", 200, posts=True)
        yield State(page, "used-meanwhile", 410, posts=True, refusal=TokenInvalid())
        yield State(page, "unavailable-at-use", 503, posts=True, refusal=Unavailable())
        yield State(page, "limited", 429, posts=True, refusal=RateLimited(retry_after=90))
        if page.asks_password:
            yield State(page, "refused", 422, posts=True, refusal=WeakPassword(field="newPassword"))


STATES = list(states())


async def opened(client: httpx.AsyncClient, backends: Backends, state: State, locale: Locale) -> httpx.Response:
    """Return the answer of the page in the state."""
    state.prepare(backends.world, locale=locale)
    path = f"/{state.page.path}"
    if state.posts:
        return await client.post(path, data=state.fields(locale), headers=FORM)
    language = {"Accept-Language": locale.lower()}
    return await client.get(path, params={"token": TOKEN}, headers=language)
