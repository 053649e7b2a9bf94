"""What protects an account, over REST: password, address and phone number. One domain call per view."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shared.auth.drf import IsTraveller, traveller_of
from shared.errors import NotFound, RateLimited, Unauthenticated
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters
from users_service.accounts import services
from users_service.accounts.api.serializers import (
    ChangeEmailSerializer,
    ChangePasswordSerializer,
    EmailSerializer,
    LinkDescriptionSerializer,
    ResetPasswordSerializer,
    TokenSerializer,
    VerifyPhoneSerializer,
)
from users_service.accounts.api.views import PublicView, device_of
from users_service.accounts.domain import (
    InvalidCode,
    InvalidCredentials,
    InvalidEmail,
    NoPhone,
    TokenInvalid,
    WeakPassword,
)

ACCEPTED = status.HTTP_202_ACCEPTED
DONE = status.HTTP_204_NO_CONTENT


class TravellerView(APIView):
    """Open to signed-in travellers."""

    permission_classes = [IsTraveller]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse query parameters, because these addresses take none."""
        super().initial(request, *args, **kwargs)
        refuse_other_parameters(request, ())


class RequestPasswordResetView(PublicView):
    """A forgotten password."""

    @extend_schema(request=EmailSerializer, responses={202: None, **refusals(InvalidEmail, RateLimited)})
    def post(self, request: Request) -> Response:
        """Mail a link that sets a new password. The answer is the same for a known and for an unknown address."""
        fields = EmailSerializer.from_request(request).validated_data
        services.request_password_reset(**fields, device=device_of(request))
        return Response(status=ACCEPTED)


class ResetPasswordView(PublicView):
    """A new password, with a mailed link."""

    @extend_schema(
        request=ResetPasswordSerializer, responses={204: None, **refusals(TokenInvalid, WeakPassword, RateLimited)}
    )
    def post(self, request: Request) -> Response:
        """Set the password, and end every session of the account. A link works once."""
        fields = ResetPasswordSerializer.from_request(request).validated_data
        services.reset_password(**fields, device=device_of(request))
        return Response(status=DONE)


class ConfirmEmailChangeView(PublicView):
    """Confirmation of a new address."""

    @extend_schema(request=TokenSerializer, responses={204: None, **refusals(TokenInvalid, RateLimited)})
    def post(self, request: Request) -> Response:
        """Give the account the address that the link was mailed to, and end every session."""
        fields = TokenSerializer.from_request(request).validated_data
        services.confirm_email_change(**fields, device=device_of(request))
        return Response(status=DONE)


class UndoEmailChangeView(PublicView):
    """The earlier address."""

    @extend_schema(request=TokenSerializer, responses={204: None, **refusals(TokenInvalid, RateLimited)})
    def post(self, request: Request) -> Response:
        """Give the account its earlier address back, end every session, and start a password reset."""
        fields = TokenSerializer.from_request(request).validated_data
        services.undo_email_change(**fields, device=device_of(request))
        return Response(status=DONE)


class DisownChangeView(PublicView):
    """The change was not made by the owner."""

    @extend_schema(request=TokenSerializer, responses={204: None, **refusals(TokenInvalid, RateLimited)})
    def post(self, request: Request) -> Response:
        """End every session of the account, and start a password reset."""
        fields = TokenSerializer.from_request(request).validated_data
        services.disown_change(**fields, device=device_of(request))
        return Response(status=DONE)


class DescribeLinkView(PublicView):
    """What a mailed link is for."""

    @extend_schema(request=TokenSerializer, responses={200: LinkDescriptionSerializer, **refusals(TokenInvalid)})
    def post(self, request: Request) -> Response:
        """Show what the link is for. Nothing changes. It is a POST, because addresses are written to logs."""
        fields = TokenSerializer.from_request(request).validated_data
        return Response(LinkDescriptionSerializer(services.describe_link(**fields)).data)


class ChangePasswordView(TravellerView):
    """Another password."""

    @extend_schema(
        request=ChangePasswordSerializer,
        responses={204: None, **refusals(WeakPassword, InvalidCredentials, Unauthenticated, RateLimited, NotFound)},
    )
    def post(self, request: Request) -> Response:
        """Change the password, and end every other session."""
        fields = ChangePasswordSerializer.from_request(request).validated_data
        traveller = traveller_of(request)
        services.change_password(
            user_id=traveller.id,
            session_id=traveller.session_id,
            authenticated_at=traveller.authenticated_at,
            **fields,
            device=device_of(request),
        )
        return Response(status=DONE)


class ChangeEmailView(TravellerView):
    """Another address."""

    @extend_schema(
        request=ChangeEmailSerializer,
        responses={202: None, **refusals(InvalidEmail, InvalidCredentials, Unauthenticated, RateLimited, NotFound)},
    )
    def post(self, request: Request) -> Response:
        """Mail a link to the new address. The account keeps its address until that link is used."""
        fields = ChangeEmailSerializer.from_request(request).validated_data
        traveller = traveller_of(request)
        services.change_email(
            user_id=traveller.id,
            session_id=traveller.session_id,
            authenticated_at=traveller.authenticated_at,
            **fields,
            device=device_of(request),
        )
        return Response(status=ACCEPTED)


class VerifyPhoneView(TravellerView):
    """Verification of the phone number."""

    @extend_schema(
        request=VerifyPhoneSerializer,
        responses={204: None, **refusals(InvalidCode, NoPhone, RateLimited, Unauthenticated, NotFound)},
    )
    def post(self, request: Request) -> Response:
        """Verify the phone number with the code of an SMS. Without a code, send one."""
        fields = VerifyPhoneSerializer.from_request(request).validated_data
        services.verify_phone(user_id=traveller_of(request).id, **fields, device=device_of(request))
        return Response(status=DONE)
