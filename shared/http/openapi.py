"""Refusals in OpenAPI: every operation lists its codes."""

from collections import defaultdict
from typing import Any

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

from shared.errors import DomainError, protocols_of_class


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One complaint about one field."""

    field = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457: a refusal with its stable code."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    params = serializers.DictField(required=False)
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]  # the member of RFC 9457


def refusals(*errors: type[DomainError]) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the responses of `errors` for extend_schema: one for each status, with its codes in the description."""
    codes: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        codes[protocols_of_class(error).http].append(error.code)
    return {
        (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, description=", ".join(names))
        for status, names in sorted(codes.items())
    }


def page_of(results: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the shape of a page of `results`, for extend_schema."""
    return inline_serializer(
        name=f"{results.__name__.removesuffix('Serializer')}Page",
        fields={
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": results(many=True),
        },
    )
