"""The transactional outbox: an event is a row of the transaction that causes it, and a relay brings it to Kafka.

`publish` writes, inside the transaction and under the aggregate's lock; the post-commit signal makes it fast; `relay` makes it sure.
"""

from shared.outbox.publishing import NotInTransaction, publish, publish_many

__all__ = ["NotInTransaction", "publish", "publish_many"]
