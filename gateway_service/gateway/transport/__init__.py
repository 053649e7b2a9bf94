"""Bytes in, bytes out: HTTP, WebSocket, server-sent events, middleware, callers, health, problems."""
