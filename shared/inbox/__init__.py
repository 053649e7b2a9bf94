"""The inbox: which events a service has taken, and which it could not. Both live in the consumer's own database."""
