"""Devices in words, and the networks that they are in."""

import pytest

from users_service.accounts import devices

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        (CHROME.format(120), "Chrome on Windows"),
        (CHROME.format(121), "Chrome on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/17.0 Mobile/15E148 Safari/604.1",
            "Mobile Safari on iOS",
        ),
        ("okhttp/4.9", "okhttp"),
        ("", ""),
        ("x", ""),
        ("\N{SNOWMAN}" * 200, ""),
    ],
)
def test_a_device_is_named_in_words_without_versions(user_agent, words):
    assert devices.in_words(user_agent) == words


@pytest.mark.parametrize(
    "user_agent", ["www.evil.example/1 CFNetwork/1 Darwin/1", "http://evil.example/Bot/1", "<b>evil</b>bot/1.0"]
)
def test_words_never_name_a_website_or_have_markup(user_agent):
    """Seen failing (`www.evil.example on iOS`) without the pattern of a name."""
    assert not set(devices.in_words(user_agent)) & set(".:<>@&\"'")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("", "None"),
        ("unknown", "None"),
    ],
)
def test_the_network_of_a_device(address, network):
    assert str(devices.network_of(address)) == network


def test_a_user_agent_is_stored_short_and_printable():
    assert devices.printable("a\nb\x1b[31m\0" + "c" * 300) == "ab[31m" + "c" * 191
