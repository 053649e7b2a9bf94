"""Other gateways that do the work of ours on the same services, to compare with."""
