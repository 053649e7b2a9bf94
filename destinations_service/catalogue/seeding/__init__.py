"""Fills the catalogue from the committed seed data, quickly and as often as asked."""
