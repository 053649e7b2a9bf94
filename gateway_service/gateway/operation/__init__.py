"""What one operation knows: caller, language, deadline, loaders, cookies, guesses of references."""
