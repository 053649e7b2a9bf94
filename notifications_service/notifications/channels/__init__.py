"""The channels: a mail server and an SMS provider. They know nothing about bookings or people."""
