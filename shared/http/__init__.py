"""REST in every service: problem+json, limits, pages, health, access log and request ids."""
