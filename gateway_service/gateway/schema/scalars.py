"""The contract's scalars. No value is rounded, and malformed input is refused."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal as PyDecimal
from typing import Final

import graphene
from google.protobuf.timestamp_pb2 import Timestamp
from graphql import GraphQLError, StringValueNode, ValueNode, print_ast
from graphql.language import ast

_DECIMAL: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class DateTime(graphene.Scalar):
    """RFC 3339, UTC"""

    @staticmethod
    def serialize(value: object) -> str:
        """Return the instant to the millisecond, ending in Z."""
        if isinstance(value, Timestamp):
            second = datetime.fromtimestamp(value.seconds, UTC).isoformat()[:19]
            return f"{second}.{value.nanos // 1_000_000:03d}Z"
        instant = value
        if not isinstance(instant, datetime):
            raise GraphQLError("DateTime cannot represent this value")
        return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @staticmethod
    def parse_value(value: object) -> datetime:
        """Return the instant in UTC. Raises GraphQLError without an offset from UTC."""
        try:
            instant = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            raise GraphQLError("DateTime must be an RFC 3339 instant") from None
        if instant.tzinfo is None:
            raise GraphQLError("DateTime must name its offset from UTC")
        return instant.astimezone(UTC)

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: object = None) -> datetime:
        """Return the instant of a string in the document."""
        return cls.parse_value(_string(node, "DateTime"))


class Date(graphene.Scalar):
    """ISO 8601 calendar date"""

    @staticmethod
    def serialize(value: object) -> str:
        """Return the date as YYYY-MM-DD. Services already send such text, which is returned unchanged."""
        return value.isoformat() if isinstance(value, date) else str(value)

    @staticmethod
    def parse_value(value: object) -> date:
        """Return the date. Raises GraphQLError for anything but YYYY-MM-DD."""
        try:
            if not isinstance(value, str) or not _DATE.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise GraphQLError("Date must be a calendar date, YYYY-MM-DD") from None

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: object = None) -> date:
        """Return the date of a string in the document."""
        return cls.parse_value(_string(node, "Date"))


class Decimal(graphene.Scalar):
    """a decimal number in a string, never a float"""

    @staticmethod
    def serialize(value: PyDecimal | str) -> str:
        """Return plain digits, never an exponent. Text has them already, and is returned unchanged."""
        return value if isinstance(value, str) else format(value, "f")

    @staticmethod
    def parse_value(value: object) -> PyDecimal:
        """Return the number. Raises GraphQLError for a number that is not a string, or that has an exponent."""
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise GraphQLError("Decimal must be a decimal number in a string")
        return PyDecimal(value)

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: object = None) -> PyDecimal:
        """Return the number of a string in the document."""
        return cls.parse_value(_string(node, "Decimal"))


class JSON(graphene.Scalar):
    """Any JSON value"""

    @staticmethod
    def serialize(value: object) -> object:
        """Return the value as it is."""
        return value

    @staticmethod
    def parse_value(value: object) -> object:
        """Return the value as it is."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, _variables: object = None) -> object:
        """Return the literal as text. graphene requires this method, although the schema has no JSON argument."""
        return print_ast(node)


def _string(node: ast.Node, name: str) -> str:
    if not isinstance(node, StringValueNode):
        raise GraphQLError(f"{name} must be a string", node)
    return node.value
