"""manage.py run_consumer: the service's event consumer, with the handlers of every app's `consumers` module."""

from shared.kafka.command import RunConsumer


class Command(RunConsumer):
    """Found in every service that has shared.inbox among its apps."""
