"""The ways out: a mail server, and a provider of SMS. Each knows nothing of bookings and people."""
