"""A payment: asked for, settled by the provider's answer or webhook, reconciled, and what it does to its booking."""
