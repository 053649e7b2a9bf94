"""`bench gateway`: what a GraphQL request costs the gateway and every process behind it."""
