"""The types of an account's sessions, and of what happened to the account."""

import graphene

from gateway_service.gateway.schema.base import MessageObject, Node, NodeObject
from gateway_service.gateway.schema.paging import connection
from gateway_service.gateway.schema.scalars import DateTime


class Session(NodeObject):
    class Meta:
        interfaces = (Node,)

    created_at = DateTime(required=True)
    last_used_at = DateTime(required=True)
    user_agent = graphene.String()
    device = graphene.String()
    ip_address = graphene.String()
    current = graphene.Boolean(required=True)


class SecurityEvent(MessageObject):
    at = DateTime(required=True)
    type = graphene.String(required=True)
    user_agent = graphene.String()
    ip_address = graphene.String()


SecurityEventConnection = connection("SecurityEvent", SecurityEvent)
