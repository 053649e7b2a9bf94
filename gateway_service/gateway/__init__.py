"""The public face of the platform: a GraphQL schema, a REST façade and live updates. It has no data of its own."""
