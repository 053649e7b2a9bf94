"""The event consumer: Kafka record → inbox row and handler in one transaction → offset.

Every record has one of three outcomes:
- It takes effect, or it took effect before.
- The record is at fault. After at most five attempts it goes to `<topic>.<consumer>.dlq` and into the DeadLetter table,
  and later events of its key are parked behind it.
- It waits as a letter, because its type is braked, or only a newer release knows it. See shared.inbox.effects.

An unavailable database, service or broker, or a missing migration, is not an outcome: the record waits, and no attempt
is counted.
The offset is stored after the work. A killed consumer therefore repeats some records, and the inbox makes that
harmless.

The rooms, from the pure ones to those with threads: `assignment` (partitions, generations, offsets), `lanes` (which
record may start), `backlog` (both behind one lock), `failures`, `workers`, `housekeeping`, `loop` (the only room
that touches the Kafka client).
"""

from shared.inbox.consumer.limits import Limits
from shared.inbox.consumer.loop import EventConsumer

__all__ = ["EventConsumer", "Limits"]
