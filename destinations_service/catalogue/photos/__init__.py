"""Drawn photos of places: maps made from open data, so that every place has a real picture from the first day."""
