"""The rules of the catalogue, which work on values only."""

import math

import pytest

from destinations_service.catalogue.domain import Near, check_near
from destinations_service.catalogue.folding import fold, words_of
from destinations_service.catalogue.selectors.matching import check_text, errors_allowed
from shared.errors import Invalid


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Île-de-France", "ile de france"), ("  SÃO   Paulo ", "sao paulo"), ("Łódź", "lodz"), ("København", "kobenhavn"),
        ("Straße", "strasse"), ("Þingvellir", "thingvellir"), ("L’Aquila", "l aquila"), ("İstanbul", "istanbul"),
        ("東京", "東京"), ("ＴＯＫＹＯ", "tokyo"), ("القاهرة", "القاهرة"), ("दिल्ली", "दलल"), ("", ""), ("´", ""), ("%_%", ""),
        ("😀", ""), ("a\u200bb", "ab"), ("\u202e abc", "abc"),
    ],
)  # fmt: skip
def test_folding_keeps_words_without_case_accents_and_punctuation(text, folded):
    assert fold(text) == folded


def test_words_are_distinct_and_in_their_order():
    assert words_of("New York, new york!") == ["new", "york"]


@pytest.mark.parametrize(
    ("word", "errors"), [("rome", 0), ("paris", 1), ("budapest", 1), ("barcelona", 2), ("", 0), ("東京都庁前駅", 1)]
)
def test_longer_words_may_have_more_errors(word, errors):
    assert errors_allowed(word) == errors


@pytest.mark.parametrize("text", ["x" * 101, "a\x00b", "a\nb", "x" * 10_240, "a b c d e f g h i j k"])
def test_a_long_search_or_one_with_control_characters_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        check_text(text, field="search")

    assert refusal.value.field == "search"


@pytest.mark.parametrize(
    "near",
    [
        Near(91, 0, 1), Near(0, -181, 1), Near(math.nan, 0, 1), Near(0, math.inf, 1), Near(0, 0, -1), Near(0, 0, 0),
        Near(0, 0, math.nan), Near(0, 0, 30_000),
    ],
)  # fmt: skip
def test_an_impossible_circle_is_refused(near):
    with pytest.raises(Invalid):
        check_near(near)
