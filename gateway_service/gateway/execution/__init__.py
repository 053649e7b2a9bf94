"""A document parsed, limited, validated and executed; its errors; JSON."""
