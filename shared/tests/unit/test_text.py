"""Languages are negotiated from whatever a browser sends."""

import pytest

from shared.text import Locale, locale_of, negotiate


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.8", Locale.FR),
        ("en-GB", Locale.EN),
        ("de, en;q=0.3, fr;q=0.7", Locale.FR),
        ("fr;q=0, en;q=0.1", Locale.EN),
        ("de", None),
        ("", None),
        (None, None),
        ("fr;q=abc", None),
        ("fr;q=nan", None),
        ("," * 100_000, None),
    ],
)
def test_the_preferred_known_language_wins(header, expected):
    assert negotiate(header) is expected


@pytest.mark.parametrize(
    ("tag", "expected"), [("fr_FR", Locale.FR), ("EN", Locale.EN), ("__class__", None), (None, None)]
)
def test_a_language_tag(tag, expected):
    assert locale_of(tag) is expected
