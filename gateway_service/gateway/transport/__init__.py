"""Bytes in, bytes out: HTTP, WebSocket, SSE, middleware, callers, health, problems."""
