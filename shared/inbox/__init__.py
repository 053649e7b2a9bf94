"""The inbox: the events that a service has applied, and its dead letters. Both are in the consumer's own database."""
