"""Events over Kafka: clients, records, topics, and how a service declares what it handles.

    @handles(BookingConfirmed)
    def on_booking_confirmed(event: BookingConfirmed, *, received: Received) -> None: ...

in `<app>/consumers.py` is all that a service writes, and `ignores(BookingCreated)` for each other event of its topics.
`manage.py run_consumer` of `shared.inbox` finds it and subscribes to the topics of the handled messages. It calls the
handler inside the transaction of the inbox row, so each event takes effect once.
"""

from shared.kafka.clients import producer
from shared.kafka.handlers import Received, handles, ignores, parsing
from shared.kafka.outcomes import NeedsUpgrade

__all__ = ["NeedsUpgrade", "Received", "handles", "ignores", "parsing", "producer"]
