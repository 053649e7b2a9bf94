"""Breadth-first execution of GraphQL operations: each field runs once for all objects of its place.

`plan` compiles an operation, `run` executes a plan. docs/executor.md explains how they work.
"""
