"""`graphql_schema`: graphene-django's command, which writes the served schema where it is committed."""

from typing import Any

from django.core.management.base import CommandError
from graphene_django.management.commands import graphql_schema


class Command(graphql_schema.Command):
    """Write the schema; a file that cannot be written is one readable line."""

    def get_schema(self, schema: Any, out: str, indent: int | None) -> None:
        """Write `schema` to `out`. Raises CommandError where that is impossible."""
        try:
            super().get_schema(schema, out, indent)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from error
