"""`graphql_schema`: write the served schema to schema.graphql. It extends graphene-django's command of that name."""

import graphene
from django.core.management.base import CommandError
from graphene_django.management.commands import graphql_schema


class Command(graphql_schema.Command):
    """Writes the schema, or says why the file cannot be written."""

    def get_schema(self, schema: graphene.Schema, out: str, indent: int | None) -> None:
        """Write `schema` to `out`. Raises CommandError if the file cannot be written."""
        try:
            super().get_schema(schema, out, indent)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from error
