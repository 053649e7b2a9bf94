"""An address is one account in every spelling, and what can imitate another address is refused."""

import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_service.accounts.domain import InvalidEmail, clean_email, fold

LABELS = st.sampled_from(["example", "b\xfccher", "stra\xdfe", "例え", "ελλάδα", "пример", "a1", "xn--bcher-kva"])
LOCALS = st.from_regex(r"[a-z0-9]{1,8}([.+_-][a-z0-9]{1,8})?", fullmatch=True)
WIDE = {
    ord(letter): chr(ord(letter) + 0xFEE0)
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
}


@pytest.mark.parametrize(
    "typed",
    ["admin@travel.example", "ADMIN@Travel.Example", " admin@travel.example ", "\uff21dmin@travel.example",
     "admi\u207f@travel.example", "admin＠travel。example", "adm\u2148n@travel.example"],
)  # fmt: skip
def test_every_spelling_of_an_address_folds_to_the_same_text(typed):
    assert clean_email(typed) == fold(typed) == "admin@travel.example"


@pytest.mark.parametrize(
    "typed",
    ["Ann@BÜCHER.example", "ann@bu\u0308cher.example", "ann@xn--bcher-kva.example", "ann@XN--BCHER-KVA.EXAMPLE"],
)
def test_a_domain_in_unicode_and_in_punycode_is_the_same(typed):
    """Seen failing (another address) while the domain stayed in Unicode."""
    assert clean_email(typed) == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "domain", ["demo.example", "travel.example", "example.org", "例え.example", "mail.sub.example.co"]
)
def test_ordinary_domains_are_accepted(domain):
    assert fold(f"ann@{domain}") == f"ann@{idna.encode(domain).decode()}"


@pytest.mark.parametrize(
    "typed",
    ["", "ann", "ann@", "@example.org", "a\x00b@example.org", "a b@example.org", "ann@@example.org", "ann@example..org",
     "ann@example.org\r\nBcc: x@example.org", "x" * 65 + "@example.org", "ann@-example.org", "ann@exa_mple.org",
     "ann@localhost", "ann@example", "ann@[127.0.0.1]", "ann@127.0.0.1", "ann@[IPv6:::1]", "ann@mail.localhost",
     '"ann"@example.org', '"an n"@example.org', "Ann <ann@example.org>", "ann@example.org.", "ann@.example.org",
     ".ann@example.org", "ann.@example.org", "a..nn@example.org", "ann@" + "x." * 130 + "org", "ann\ud800@example.org",
     "ann@exa\ud800mple.org", "ann@xn--a.example", "x" * 1_000_000],
)  # fmt: skip
def test_a_malformed_address_is_refused_and_folds_to_nothing(typed):
    with pytest.raises(InvalidEmail):
        clean_email(typed)
    assert fold(typed) == ""


@pytest.mark.parametrize(
    "typed",
    ["аdmin@travel.example", "αnn@example.org", "adm\u0131n@travel.example", "adm\u0130n@travel.example", "stra\xdfe@example.org",
     "ann@раypal.example", "ann@xn--ypal-43d9g.example", "ann@exampl\u0435.org", "ann@goοgle.example"],
)  # fmt: skip
def test_an_address_that_imitates_another_is_refused(typed):
    """Seen failing (accepted) without the checks of ASCII and of scripts."""
    with pytest.raises(InvalidEmail):
        clean_email(typed)


def test_an_encoded_word_is_refused():
    """Python's email package decodes it: the header was `To: ann@example.com,@example.org`. Seen failing (accepted)
    without the look for `=?`.
    """
    with pytest.raises(InvalidEmail):
        clean_email("=?utf-8?q?ann=40example.com=2c?=@example.org")


@given(LOCALS, st.lists(LABELS, min_size=1, max_size=3), st.data())
def test_any_spelling_folds_to_the_same_address(local, labels, data):
    domain = ".".join([*labels, "example"])
    ascii_domain = idna.encode(domain).decode()
    spellings = [
        f"{local}@{domain}",
        f"{local.upper()}@{ascii_domain.upper()}",
        f"{local}@{unicodedata.normalize('NFD', domain)}",
        f"\u3000{local.translate(WIDE)}@{domain.replace('.', '。')} ",
        f"{local.swapcase()}@{ascii_domain.replace('example', 'Example')}",
    ]

    assert {fold(spelling) for spelling in spellings} == {f"{local}@{ascii_domain}"}


@given(
    st.one_of(
        st.emails(), st.text(max_size=60), st.builds("{}@{}.example".format, st.text(max_size=9), st.text(max_size=9))
    )
)
def test_folding_twice_changes_nothing(typed):
    folded = fold(typed)

    assert fold(folded) == folded
    assert folded == folded.lower()
    assert folded.isascii()
    assert len(folded) <= 254
