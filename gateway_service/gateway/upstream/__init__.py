"""The gateway's connections: typed gRPC stubs of the services, the HTTP client, Valkey."""
