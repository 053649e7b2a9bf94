"""The proof that whatever fails between an event's transaction and its mail, each effect happens once and in order."""
