"""Events over a real broker: the outbox, its relay, and the consumer of departures.

Most of these tests are of shared/outbox and shared/inbox. They are here because they need a database and a service.
"""
