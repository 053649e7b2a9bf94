"""The traveller's own notifications over REST. One domain call per view."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from notifications_service.notifications import selectors
from notifications_service.notifications.api.serializers import NotificationSerializer
from notifications_service.notifications.models import Notification
from shared.auth.drf import traveller_of
from shared.errors import Invalid, NotFound, Unauthenticated
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters


class NotificationViewSet(GenericViewSet[Notification]):
    """Everything that was sent to the traveller, mails about the account included."""

    serializer_class = NotificationSerializer
    queryset = Notification.objects.none()
    lookup_value_converter = "uuid"

    @extend_schema(responses={200: NotificationSerializer(many=True), **refusals(Invalid, Unauthenticated)})
    def list(self, request: Request) -> Response:
        """List the traveller's notifications, newest first."""
        refuse_other_parameters(request, ())
        page = self.paginate_queryset(selectors.notifications_of_person(person_id=traveller_of(request).id)) or []
        return self.get_paginated_response(NotificationSerializer(map(selectors.to_view, page), many=True).data)

    @extend_schema(responses={200: NotificationSerializer, **refusals(Unauthenticated, NotFound)})
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show one of the traveller's notifications."""
        notification = selectors.get_notification(notification_id=pk, person_id=traveller_of(request).id)
        return Response(NotificationSerializer(notification).data)
