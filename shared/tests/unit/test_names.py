"""Names: people of every script have one, and no mail client makes a link of one."""

import unicodedata

import pytest

from shared.names import InvalidName, clean_name


@pytest.mark.parametrize(
    "name",
    [
        "J. R. Smith", "J.R. Smith", "J.R.R. Tolkien", "St. John", "O'Neil", "O’Neil", "Jean-Luc", "Anne‐Marie",
        "Gal·la", "Smith, Jr.", "Ng", "Ö", "Zoë", "Nguyễn Thị Ánh", "Мария", "Μαρία Κ. Παπά", "محمد", "דוד", "प्रिया",
        "สมชาย", "山田太郎", "김민준", "葛\U000e0100城", "Ana María de la O", "María J.", "A. B. C.",
    ],
)  # fmt: skip
def test_names_of_people_are_kept(name: str) -> None:
    assert clean_name(f" {name} ", field="firstName") == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "www.evil.com", "WWW.EVIL.COM", "evil.com", "Win at evil.com now", "evil.com.", "t.co", "x.y.evil.io", "www.evil",
        "e-v-i-l.com", "https://evil.com", "http:evil", "mailto:a@evil.com", "@handle.tld", "@handle", "a@evil.com",
        "evil．com", "evil。com", "evil｡com", "evil․com", "ｅｖｉｌ.ｃｏｍ", "пример.рф", "例え.みんな", "evil.com’s", "evil.c-om",
        "evil.\u200bcom", "ev\u200dil.com", "evil\u2060.com", "evil.c\u0308om", "evil.\u3164com", "evil.c\u034fom", "St.John",
        "evil/path", "evil\\path", "evil:443", "[evil](evil)", "\u3164", "\u115f\u1160", "A\u034f",
    ],
)  # fmt: skip
def test_no_mail_client_finds_a_link_in_a_name(name: str) -> None:
    """Seen failing (`www.evil.com` and the other domains were names) without _looks_like_a_domain, and (names that show
    nothing) without _INVISIBLE.
    """
    with pytest.raises(InvalidName) as refused:
        clean_name(name, field="lastName")

    assert refused.value.field == "lastName"
