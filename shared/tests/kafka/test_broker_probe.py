"""The probe notices a hung broker within 3 s, and its return, through a proxy that swallows packets."""

import time
from collections.abc import Iterator

import pytest

from shared.kafka.probe import BrokerProbe
from shared.testing.patience import always
from shared.testing.swallowing_proxy import SwallowingProxy

NOTICED_SECONDS = 3.0


@pytest.fixture
def changes() -> list[bool]:
    return []


@pytest.fixture
def probe(proxy: SwallowingProxy, changes: list[bool]) -> Iterator[BrokerProbe]:
    probe = BrokerProbe("test", on_change=changes.append)
    yield probe
    probe.stop()
    probe.join(5)


@pytest.mark.parametrize("moment", [0.1, 0.8], ids=["after a question", "before a question"])
def test_a_hung_broker_and_its_return_are_noticed_within_three_seconds(
    proxy: SwallowingProxy, probe: BrokerProbe, changes: list[bool], moment: float
) -> None:
    """Seen failing (not noticed) with a time-out of 60 s in `_answers`."""
    probe.start()
    assert probe.wait(answers=True, seconds=5)
    assert not probe.wait(answers=False, seconds=moment)
    proxy.swallow()
    assert probe.wait(answers=False, seconds=NOTICED_SECONDS)
    assert not probe.wait(answers=True, seconds=5)
    proxy.go_on()
    assert probe.wait(answers=True, seconds=NOTICED_SECONDS)
    assert changes == [True, False, True]


def test_a_connection_that_stays_silent_for_ever_is_replaced(proxy: SwallowingProxy, probe: BrokerProbe) -> None:
    """The network is well again, but it forgot the connections of before.

    Seen failing (the return was not noticed) without the time-outs of `_client`: librdkafka waits for a minute.
    """
    probe.start()
    assert probe.wait(answers=True, seconds=5)
    proxy.swallow()
    assert probe.wait(answers=False, seconds=NOTICED_SECONDS)
    proxy.go_on(forget=True)
    assert probe.wait(answers=True, seconds=NOTICED_SECONDS)


def test_a_broker_that_hangs_at_the_start_is_noticed_when_it_answers(
    proxy: SwallowingProxy, probe: BrokerProbe, changes: list[bool]
) -> None:
    proxy.swallow()
    probe.start()
    assert not probe.wait(answers=True, seconds=5)
    proxy.go_on()
    assert probe.wait(answers=True, seconds=NOTICED_SECONDS)
    assert changes == [True]


def test_a_broker_that_dies_and_is_started_again_is_noticed(
    proxy: SwallowingProxy, probe: BrokerProbe, changes: list[bool]
) -> None:
    """The proxy refuses connections, as the port of a dead broker does."""
    probe.start()
    assert probe.wait(answers=True, seconds=5)
    proxy.refuse()
    assert probe.wait(answers=False, seconds=NOTICED_SECONDS)
    proxy.listen_again()
    assert probe.wait(answers=True, seconds=NOTICED_SECONDS)
    assert changes == [True, False, True]


def test_a_callback_that_raises_does_not_end_the_probe(proxy: SwallowingProxy) -> None:
    """Seen failing (the thread ended) without the `try` in BrokerProbe._note."""

    def fail(_: bool) -> None:
        raise ValueError

    probe = BrokerProbe("test", on_change=fail)
    probe.start()
    assert probe.wait(answers=True, seconds=5)
    proxy.swallow()
    assert probe.wait(answers=False, seconds=NOTICED_SECONDS)
    probe.stop()
    probe.join(5)


def test_the_probe_is_cheap(proxy: SwallowingProxy, probe: BrokerProbe) -> None:
    """Its threads use less than 1 % of a core here; about 0.2 % was measured on an idle machine."""
    probe.start()
    assert probe.wait(answers=True, seconds=5)
    before = time.process_time()
    always(lambda: probe.answers, seconds=5, every=1.0)
    assert (time.process_time() - before) / 5 < 0.01
