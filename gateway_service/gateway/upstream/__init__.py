"""Clients of the services over gRPC, the HTTP client, Valkey."""
