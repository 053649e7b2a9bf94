"""Connections to other processes: typed gRPC stubs of the services, the HTTP client, Valkey."""
