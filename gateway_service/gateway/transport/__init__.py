"""HTTP, WebSocket, SSE, middleware, callers, health, problems: bytes in, bytes out."""
