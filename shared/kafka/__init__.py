"""Events over Kafka: clients, the consumer's loop, and how a service says what it handles.

    @handles(BookingConfirmed)
    def on_booking_confirmed(event: BookingConfirmed, *, received: Received) -> None: ...

in `<app>/consumers.py` is all a service writes; `manage.py run_consumer` (of shared.inbox) finds it, subscribes to the
topics of the handled messages, and calls the handler exactly once in effect, inside the transaction of its inbox row.
"""

from shared.kafka.clients import producer
from shared.kafka.handlers import Received, handles

__all__ = ["Received", "handles", "producer"]
