"""The transactional outbox: an event is a row of the transaction that causes it, and a relay sends it to Kafka.

`publish` writes the row inside the transaction, under the aggregate's lock. The post-commit signal makes delivery fast,
and the relay's sweep makes it certain.
"""

from shared.outbox.publishing import NotInTransaction, PayloadTooLarge, publish, publish_many, publish_selected

__all__ = ["NotInTransaction", "PayloadTooLarge", "publish", "publish_many", "publish_selected"]
