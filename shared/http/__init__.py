"""REST, the same way in every service: problem+json, limits, pages, health, one access line, one request id."""
