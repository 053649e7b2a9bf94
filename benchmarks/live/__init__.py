"""Live updates at scale."""
