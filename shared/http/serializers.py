"""Serializers that accept exactly the fields that they name."""

from typing import Any, Self

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from shared.telemetry import current_locale
from shared.text import Locale, Text

_UNKNOWN = Text(en="This field is not known or not yours to set.", fr="Ce champ est inconnu ou n’est pas modifiable.")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuse, with 400 naming them, fields that are unknown or read-only: a price or a flag sent along is never just
    ignored.
    """

    @classmethod
    def from_request(cls, request: Request, *, partial: bool = False) -> Self:
        """Return the serializer of the request's body, validated. With `partial`, no field is required.

        Raises ValidationError.
        """
        serializer = cls(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values. Raises ValidationError naming every field that is not the caller's to send."""
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(map(str, data)) - writable):
                message = _UNKNOWN.in_(current_locale() or Locale.EN)
                raise serializers.ValidationError(
                    {name[:100]: [ErrorDetail(message, code="UNKNOWN_FIELD")] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.STR)
class LocalizedField(serializers.Field[Any, Any, Any, Any]):
    """A text in the language of the request."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Text) -> str:
        """Return the text in the request's language."""
        return value.in_(current_locale())


class MoneySerializer(serializers.Serializer[Any]):
    """An amount of one currency: a decimal number in a string, and its ISO 4217 code."""

    amount = serializers.CharField(read_only=True)
    currency = serializers.CharField(read_only=True)
