"""The façade over the services' REST, the merged OpenAPI, the table of public paths."""
