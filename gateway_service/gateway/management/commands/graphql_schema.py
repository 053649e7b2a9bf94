"""`graphql_schema`: graphene-django's command, which writes the served schema where it is committed."""

from graphene_django.management.commands.graphql_schema import Command

__all__ = ["Command"]
