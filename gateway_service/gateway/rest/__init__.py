"""The REST façade over the services, the merged OpenAPI document, and the table of public paths."""
