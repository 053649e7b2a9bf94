"""Money that goes back: what is owed, paying it out, and what staff do with it."""
