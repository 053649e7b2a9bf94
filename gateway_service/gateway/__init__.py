"""The public face of the platform: one GraphQL graph, a REST façade and live updates over four services, no data of its own."""
