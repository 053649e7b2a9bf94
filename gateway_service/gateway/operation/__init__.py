"""What one operation knows: caller, language, deadline, loaders, cookies, and how often a traveller guessed a reference."""
