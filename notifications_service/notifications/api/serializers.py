"""Notifications over REST."""

from typing import Any

from rest_framework import serializers

from notifications_service.notifications.domain import Channel, Kind, Status


class NotificationSerializer(serializers.Serializer[Any]):
    """A notification as its owner sees it."""

    id = serializers.UUIDField(read_only=True)
    channel = serializers.ChoiceField(choices=[channel.value for channel in Channel], read_only=True)
    template = serializers.ChoiceField(choices=[kind.value for kind in Kind], source="kind", read_only=True)
    subject = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(
        choices=[status.value for status in Status if status is not Status.SENDING], read_only=True
    )
    created_at = serializers.DateTimeField(read_only=True)
    sent_at = serializers.DateTimeField(read_only=True, allow_null=True)
