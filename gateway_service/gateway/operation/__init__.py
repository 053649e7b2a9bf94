"""The context of one operation, with its loaders, cookies, remembered languages and limit on guesses."""
