"""The rules of the catalogue, which work on values only."""

import math

import pytest

from destinations_service.catalogue.domain import Near, check_near, check_search, fold
from shared.errors import Invalid


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Île-de-France", "ile-de-france"), ("  SÃO   Paulo ", "sao paulo"), ("Łódź", "łodz"), ("", "")],
)
def test_search_ignores_case_and_accents(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["x" * 101, "a\x00b", "a\nb", "x" * 10_240])
def test_a_long_search_or_one_with_control_characters_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        check_search(text)

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
