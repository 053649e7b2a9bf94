"""The contract gate: `lint` refuses a change that breaks a reader of events or a client of the GraphQL schema.

It compares with baselines that only `./manage_all.py release` moves. Each complaint begins with the file and the line
that breaks the contract. buf compares the protos with proto/baseline.binpb.
"""
