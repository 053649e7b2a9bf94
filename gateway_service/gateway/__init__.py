"""The public face of the platform: one GraphQL schema, a REST façade and live updates over four services. It has no data."""
