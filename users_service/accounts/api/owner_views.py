"""What the owner of an account sees of its security over REST: the signed-in devices, and what happened."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shared.auth.drf import IsTraveller, traveller_of
from shared.errors import Invalid, NotFound, Unauthenticated
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters
from users_service.accounts import selectors, services
from users_service.accounts.api.serializers import SecurityEventSerializer, SessionSerializer
from users_service.accounts.api.views import device_of


class OwnerView(APIView):
    """A view of the account that the token belongs to."""

    permission_classes = [IsTraveller]


class SessionList(OwnerView):
    """The signed-in devices."""

    @extend_schema(responses={200: SessionSerializer(many=True), **refusals(Unauthenticated, Invalid)})
    def get(self, request: Request) -> Response:
        """List the open sessions of the account, last used first."""
        refuse_other_parameters(request, ())
        me = traveller_of(request)
        found = selectors.sessions(user_id=me.id, current=me.session_id)
        return Response(SessionSerializer(found, many=True).data)


class SessionDetail(OwnerView):
    """One signed-in device."""

    @extend_schema(responses={204: None, **refusals(Unauthenticated, NotFound)})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End the session. Its tokens are refused from now on. It may be the session that asks."""
        services.revoke_session(user_id=traveller_of(request).id, session_id=session_id, device=device_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecurityEventList(OwnerView):
    """What happened to the account."""

    @extend_schema(
        operation_id="security_events_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        responses={200: page_of(SecurityEventSerializer), **refusals(Unauthenticated, Invalid)},
    )
    def get(self, request: Request) -> Response:
        """List sign-ins, refused attempts and changes of the account, newest first."""
        refuse_other_parameters(request, ())
        with rest_names():
            found = selectors.security_events(user_id=traveller_of(request).id, **page_arguments(request))
        return page_response(request, found, results=SecurityEventSerializer(found.rows, many=True).data)
