"""The catalogue of events: what shared/events.py, the protos, the consumers and the golden samples say of each type.

`read_catalogue()` collects it. `page` and `asyncapi` write it as docs/events.md and docs/asyncapi.yaml.
"""
