"""Refresh tokens are opaque, unforgeable and independent of the signing keys."""

import base64
import re

import pytest

from shared.ids import uuid7
from shared.telemetry.redaction import redact_text
from users_service.accounts.refresh_tokens import PREFIX, make_refresh_token, read_refresh_token

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FORMER, NEW = "former " * 8, "new " * 12


@pytest.fixture
def token() -> str:
    return make_refresh_token(session_id=uuid7(), jti=uuid7())


def test_a_token_names_its_session_and_rotation():
    session, jti = uuid7(), uuid7()
    token = make_refresh_token(session_id=session, jti=jti)

    assert read_refresh_token(token) == (session, jti)
    assert token == make_refresh_token(session_id=session, jti=jti)
    assert re.fullmatch(r"trf_[A-Za-z0-9_-]{86}", token)


def test_changing_any_character_makes_it_invalid(token):
    """Also the last one, whose four lowest bits base64 ignores.

    Seen failing (three other spellings are accepted) without the comparison with `_written`, and (all are) without the
    HMAC.
    """
    for place in range(len(token)):
        for other in ALPHABET if place == len(token) - 1 else "Ax":
            changed = token[:place] + other + token[place + 1 :]
            assert changed == token or read_refresh_token(changed) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: token + "A",
        lambda token: token.removeprefix(PREFIX),
        lambda token: f" {token}",
        lambda token: token[:-1] + "é",
        lambda token: token[:-1] + "\n",
        lambda token: token[:50] + "+/" + token[52:],
        lambda token: token.swapcase(),
        lambda token: "A" * 1_000_000,
        lambda token: PREFIX + "A" * 86,
    ],
)
def test_malformed_tokens_are_invalid(token, change):
    assert read_refresh_token(change(token)) is None


def test_a_former_secret_still_opens_its_tokens_and_the_newest_makes_new_ones(settings):
    """Seen failing (everybody is signed out) with only the newest secret checked."""
    ids = {"session_id": uuid7(), "jti": uuid7()}
    settings.REFRESH_TOKEN_SECRETS = [FORMER]
    former = make_refresh_token(**ids)

    settings.REFRESH_TOKEN_SECRETS = [NEW, FORMER]

    assert read_refresh_token(former) == tuple(ids.values())
    new = make_refresh_token(**ids)
    assert new != former
    settings.REFRESH_TOKEN_SECRETS = [NEW]
    assert read_refresh_token(new)
    assert read_refresh_token(former) is None


def test_the_secret_is_not_used_bare(token):
    """Its HMAC is bound to refresh tokens, so another use of the same secret cannot make one."""
    import hashlib
    import hmac

    from django.conf import settings

    ids = uuid7().bytes + uuid7().bytes
    signature = hmac.digest(settings.REFRESH_TOKEN_SECRETS[0].encode(), ids, hashlib.sha256)

    assert read_refresh_token(PREFIX + base64.urlsafe_b64encode(ids + signature).rstrip(b"=").decode()) is None


def test_logs_do_not_show_it(token):
    assert token[10:] not in redact_text(f"refused {token} of a traveller")
