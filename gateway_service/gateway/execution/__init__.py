"""Parse, limit, validate and execute documents, and write their answers and errors as JSON."""
