"""The small web pages that mailed links open. They need no script and no cookie."""
