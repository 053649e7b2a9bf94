"""Parse, limit, validate and execute a document. Also errors and JSON."""
