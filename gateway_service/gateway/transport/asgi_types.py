"""The types of ASGI that all transports use. The application is in application.py."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Event = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Header = tuple[bytes, bytes]
Send = Callable[[Event], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
