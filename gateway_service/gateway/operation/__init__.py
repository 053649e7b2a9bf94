"""The context of one operation and its loaders; also cookies, cached languages and the limit on wrong references."""
