"""A booking from its quote to the end of its hold: quote, create, rename, expire, and every change of its status."""
