"""Where a mutation comes from, for the sessions and the audit log of users_service."""

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.schema.base import Info


def client_device(info: Info) -> users_pb2.ClientDevice:
    """Return the network address and the browser of the request."""
    return users_pb2.ClientDevice(ip_address=info.context.ip_address, user_agent=info.context.user_agent)
