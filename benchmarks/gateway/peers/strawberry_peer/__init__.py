"""The gateway with Strawberry and FastAPI, as their documentation advises. Only the types that the workloads touch."""
