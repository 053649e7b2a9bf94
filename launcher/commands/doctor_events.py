"""What `doctor` finds in the state of events, mails and SMS, and what to type for each."""

from collections.abc import Iterator
from typing import Final

from launcher.event_state import State
from shared.backlog import Inbox, Messages, Outbox, Skipped, Stopped
from shared.events import message_class

Finding = tuple[str, str]  # what is wrong, and what to type

LATE_RECORDS: Final = 1_000
LATE_MESSAGE_SECONDS: Final = 900
_NAMES: Final = {"EMAIL": "mail"}


def findings(service: str, state: State) -> Iterator[Finding]:
    """Return what is wrong with the events of a service."""
    if state.backlog is None:
        yield f"The database of {service} does not answer.", f"./manage_all.py logs {service}"
        return
    if state.backlog.outbox is not None:
        yield from _outbox(service, state.backlog.outbox)
    if state.to_read is not None and state.to_read > LATE_RECORDS:
        yield (
            f"{service}.consumer has {state.to_read:,} records to read.",
            f"./manage_all.py logs {service}.consumer",
        )
    if state.backlog.inbox is not None:
        yield from _inbox(service, state.backlog.inbox)
    if state.backlog.messages is not None:
        yield from _messages(service, state.backlog.messages)


def _outbox(service: str, outbox: Outbox) -> Iterator[Finding]:
    if outbox.set_aside:
        yield (
            f"{service} has {_count(outbox.set_aside, 'event')} that cannot be sent,"
            f" and {_count(outbox.behind, 'event')} behind them.",
            f"./manage_all.py manage {service} outbox_doctor",
        )


def _inbox(service: str, inbox: Inbox) -> Iterator[Finding]:
    if inbox.dead:
        yield (
            f"{service} has {_count(inbox.dead, 'dead letter')}, and {_count(inbox.parked, 'event')} parked.",
            f"./manage_all.py manage {service} dlq_retry",
        )
    for braked in inbox.braked_types:
        yield (
            f"{service} holds the events of type {braked.name} back{_since(braked)}",
            f"./manage_all.py logs {service}.consumer",
        )
    for skipped in inbox.skipped_types:
        if message_class(skipped.type) is not None:
            yield (
                f"{_count(skipped.count, 'event')} of type {skipped.type} were skipped by a release of {service} that"
                " did not know the type.",
                _replay(service, skipped),
            )


def _messages(service: str, messages: Messages) -> Iterator[Finding]:
    for paused in messages.paused:
        yield (
            f"{service} sends nothing over {paused.name}{_since(paused)}",
            f"./manage_all.py logs {service}",
        )
    for channel, unsent in messages.unsent.items():
        if unsent.oldest_seconds > LATE_MESSAGE_SECONDS:
            yield (
                f"{service} has {unsent.count:,} unsent {_NAMES.get(channel, channel)}, the oldest for"
                f" {unsent.oldest_seconds / 60:.0f} min.",
                f"./manage_all.py logs {service}",
            )


def _since(stopped: Stopped) -> str:
    time = f"{stopped.seconds / 60:.0f} min" if stopped.seconds >= 60 else f"{stopped.seconds:.0f} s"
    return f" for {time}: {stopped.cause}"


def _replay(service: str, skipped: Skipped) -> str:
    return (
        f"./manage_all.py manage {service} replay_events --type {skipped.type}"
        f" --from {skipped.first} --to {skipped.last}"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
