"""Descriptions: ordinary text stays as it is, and nothing that could run reaches a reader, at a bounded cost."""

import time

import pytest

from destinations_service.catalogue.markdown import LONGEST, clean, to_html

ORDINARY = [
    "The Gothic cathedral on its island, reopened after the fire of 2019.",
    "Prices: about 12 EUR & free for children < 12 years > 5. À voir : Tour Eiffel.",
    "**Morning**: the market.\n\n- tea\n- cake\n\n> quoted\n\n[The map](https://example.org/map?a=1&b=2)",
    "Write to [us](mailto:guides@example.org).",
    "Source data: GeoNames.",
]
HOSTILE = [
    "<script>alert(1)</script>hello",
    "hello <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<!-- <script>alert(1)</script> -->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](javasjavascript:cript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "[x](http://plain.example)",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "\x00<script>alert(1)</script>",
    "```\n<script>alert(1)</script>\n```",
]


@pytest.mark.parametrize("source", ORDINARY)
def test_ordinary_text_stays_as_it_is(source):
    assert clean(source) == source


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_that_could_run_survives(source):
    """Seen failing without the rounds of `_without_html`, and without the check of links after it."""
    for text in (clean(source), clean(clean(source))):
        lower = text.lower()
        assert not any(part in lower for part in ("<script", "<img", "<svg", "<a ", "javascript:", "data:", "<!--"))
    html = to_html(source).lower()
    assert "href" not in html.replace('href=""', "")
    assert not any(part in html for part in ("<script", "<img", "<svg", "onerror=", "onload=", "javascript:"))


def test_html_has_the_allowed_elements_and_safe_links():
    assert to_html("# Day\n\n**Tea** at [ours](https://example.org)") == (
        '<h3>Day</h3>\n<p><strong>Tea</strong> at <a href="https://example.org" rel="noopener nofollow">ours</a></p>'
    )
    assert to_html("3 < 5 & 7 > 2") == "<p>3 &lt; 5 &amp; 7 &gt; 2</p>"
    assert clean("<https://example.org/a>") == "[https://example.org/a](https://example.org/a)"


@pytest.mark.parametrize(
    "source",
    [
        "[" * 5_000 + ":",
        "[" * 10_000 + "x" + "](https://a.example)" * 10_000,
        "![" * 2_500 + ":",
        "> " * 2_500 + "a:",
        "*a _" * 1_250 + ":",
        "<" * 5_000,
        "&lt;" * 1_250,
        "&amp;" * 1_000,
        "<b>" * 1_666,
        "`" * 2_500 + ":" + "`" * 2_499,
        "[a](" * 1_250 + ":",
        "- " * 2_500 + ":",
        "javascript:" * 450,
    ],
)
def test_a_hostile_text_costs_at_most_half_a_second(source):
    started = time.process_time()

    html = to_html(source)

    assert time.process_time() - started < 0.5
    assert len(html) < 40 * LONGEST
