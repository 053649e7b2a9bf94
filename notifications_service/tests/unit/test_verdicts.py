"""Whose fault a broken connection is. The replies are tested on a real socket."""

import socket
import ssl

import pytest

from notifications_service.notifications.channels.faults import ChannelUnusable, TryLater
from notifications_service.notifications.channels.verdicts import Stage, fault_of_error, fault_of_reply


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ssl.SSLCertVerificationError("self-signed"), ChannelUnusable),
        (ssl.SSLError("wrong version number"), ChannelUnusable),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), ChannelUnusable),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), TryLater),
        (ssl.SSLEOFError("closed"), TryLater),
        (ConnectionRefusedError(), TryLater),
        (TimeoutError(), TryLater),
        (ConnectionResetError(), TryLater),
        (OSError("no route to host"), TryLater),
    ],
)
def test_a_broken_connection_is_ours_only_if_it_cannot_mend_itself(error, fault):
    assert type(fault_of_error(error)) is fault


def test_a_cause_has_the_codes_of_a_reply_and_none_of_its_words():
    """A server may repeat the address in its reply."""
    fault = fault_of_reply(Stage.RCPT, 550, b"5.1.1 <ann@example.org> unknown", address="ann@example.org")

    assert str(fault) == "RCPT: 550 5.1.1"
