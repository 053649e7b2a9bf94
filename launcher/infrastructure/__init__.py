"""Real PostgreSQL, Valkey, Kafka and SMTP servers, run from installed packages only."""
