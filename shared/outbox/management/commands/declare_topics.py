"""`manage SERVICE declare_topics`: compare Kafka's topics with the declared ones, and make the missing ones."""

from typing import Any

from confluent_kafka import KafkaException
from django.core.management.base import CommandError, CommandParser

from shared.commands import FOUND, OperatorCommand, add_apply, applies
from shared.kafka import topics


class Command(OperatorCommand):
    """Make the topics of the whole platform that are missing, dead letters included. Never changes a topic."""

    help = "Show which topics are missing or have another number of partitions than declared. Exit code 1 if any."

    def add_arguments(self, parser: CommandParser) -> None:
        add_apply(parser, "Make the missing topics")

    def work(self, **options: Any) -> bool:
        """Return whether the topics are as declared."""
        applying = applies(options)
        try:
            if applying:
                for name in topics.declare():
                    self.stdout.write(f"made {name}")
            found = topics.drift()
        except KafkaException as error:
            raise CommandError(f"Kafka failed: {error.args[0].str()}", returncode=FOUND) from None
        rows = ((each.topic, each.declared, each.partitions or "missing") for each in found)
        self.table("Topics that differ", ("topic", "declared partitions", "partitions"), rows)
        self.stdout.write(f"{len(topics.DECLARED)} topics are declared; {len(found)} differ.")
        if any(each.partitions is None for each in found):
            self.stdout.write("Add --apply to make the missing topics.")
        return not found
