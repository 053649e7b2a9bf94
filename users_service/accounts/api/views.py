"""Accounts over REST. One domain call per view."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shared.auth.drf import IsTraveller, traveller_of
from shared.auth.tokens import Traveller
from shared.errors import NotFound, RateLimited, Unauthenticated
from shared.http.addresses import client_ip
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters
from shared.names import InvalidName
from users_service.accounts import selectors, services, signing
from users_service.accounts.api.serializers import (
    EmailSerializer,
    LoginSerializer,
    LogoutSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegisterSerializer,
    TokenSerializer,
    TokensSerializer,
)
from users_service.accounts.contracts import Device
from users_service.accounts.domain import (
    InvalidCountry,
    InvalidCredentials,
    InvalidCurrency,
    InvalidDate,
    InvalidEmail,
    InvalidPhone,
    InvalidTimeZone,
    TermsNotAccepted,
    TokenInvalid,
    WeakPassword,
)


class PublicView(APIView):
    """Open to everybody. Tokens are ignored."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse query parameters, because these addresses take none."""
        super().initial(request, *args, **kwargs)
        refuse_other_parameters(request, ())


def device_of(request: Request) -> Device:
    """Return where the request comes from."""
    return Device(ip_address=client_ip(request._request), user_agent=request.headers.get("User-Agent", ""))


class RegisterView(PublicView):
    """Registration."""

    @extend_schema(
        request=RegisterSerializer,
        responses={
            202: None,
            **refusals(InvalidEmail, WeakPassword, InvalidName, InvalidPhone, TermsNotAccepted, RateLimited),
        },
    )
    def post(self, request: Request) -> Response:
        """Register. The answer is the same for a new and for a known address. Only the mail differs."""
        serializer = RegisterSerializer.from_request(request)
        services.register(registration=serializer.registration(), device=device_of(request))
        return Response(status=status.HTTP_202_ACCEPTED)


class VerifyEmailView(PublicView):
    """Verification of an email address."""

    @extend_schema(request=TokenSerializer, responses={204: None, **refusals(TokenInvalid)})
    def post(self, request: Request) -> Response:
        """Verify the address that the link was mailed to."""
        serializer = TokenSerializer.from_request(request)
        services.verify_email(token=serializer.validated_data["token"], device=device_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResendVerificationView(PublicView):
    """Another verification mail."""

    @extend_schema(request=EmailSerializer, responses={202: None, **refusals(InvalidEmail, RateLimited)})
    def post(self, request: Request) -> Response:
        """Mail the verification link again, if the address is not verified yet."""
        serializer = EmailSerializer.from_request(request)
        services.resend_verification(email=serializer.validated_data["email"], device=device_of(request))
        return Response(status=status.HTTP_202_ACCEPTED)


class LoginView(PublicView):
    """Sign-in."""

    @extend_schema(
        request=LoginSerializer, responses={200: TokensSerializer, **refusals(InvalidCredentials, RateLimited)}
    )
    def post(self, request: Request) -> Response:
        """Open a session."""
        serializer = LoginSerializer.from_request(request)
        return Response(TokensSerializer(services.log_in(**serializer.validated_data, device=device_of(request))).data)


class RefreshView(PublicView):
    """Rotation of the refresh token."""

    @extend_schema(request=RefreshSerializer, responses={200: TokensSerializer, **refusals(TokenInvalid)})
    def post(self, request: Request) -> Response:
        """Rotate the refresh token."""
        serializer = RefreshSerializer.from_request(request)
        return Response(TokensSerializer(services.refresh(**serializer.validated_data, device=device_of(request))).data)


class LogoutView(APIView):
    """Sign-out."""

    permission_classes = [AllowAny]

    @extend_schema(request=LogoutSerializer, responses={204: None, **refusals(TokenInvalid, Unauthenticated)})
    def post(self, request: Request) -> Response:
        """End this session, or all sessions."""
        serializer = LogoutSerializer.from_request(request)
        traveller = request.user if isinstance(request.user, Traveller) else None
        services.log_out(
            user_id=traveller.id if traveller else None,
            session_id=traveller.session_id if traveller else None,
            **serializer.validated_data,
            device=device_of(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProfileDetail(APIView):
    """The traveller's own profile."""

    permission_classes = [IsTraveller]

    @extend_schema(responses={200: ProfileSerializer, **refusals(Unauthenticated, NotFound)})
    def get(self, request: Request) -> Response:
        """Show the traveller's own profile."""
        refuse_other_parameters(request, ())
        return Response(ProfileSerializer(selectors.get_user(user_id=traveller_of(request).id)).data)

    @extend_schema(
        request=ProfileSerializer(partial=True),
        responses={
            200: ProfileSerializer,
            **refusals(
                InvalidName,
                InvalidPhone,
                InvalidDate,
                InvalidCountry,
                InvalidCurrency,
                InvalidTimeZone,
                RateLimited,
                Unauthenticated,
            ),
        },
    )
    def patch(self, request: Request) -> Response:
        """Change the fields that are sent. If one of them is refused, none changes."""
        serializer = ProfileSerializer.from_request(request, partial=True)
        user = services.update_profile(
            user_id=traveller_of(request).id, changes=serializer.changes(), device=device_of(request)
        )
        return Response(ProfileSerializer(user).data)


class JwksView(PublicView):
    """The public keys."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Show the keys that verify access tokens."""
        return Response(signing.jwks(), headers={"Cache-Control": "public, max-age=30"})
