"""The documents that people get: invoice and credit note as PDF."""
