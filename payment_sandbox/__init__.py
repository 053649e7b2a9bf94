"""A payment provider to develop against. It stands for somebody else's system: its own process, its own store, no import of ours.

`python -m payment_sandbox` serves:

| request | answer |
|---|---|
| `POST /v1/payments` `{key, amount, currency, method}` | the payment; `key` is what the caller knows it by ever after |
| `GET /v1/payments/{key}` | the truth about it, or 404: it never arrived |
| `POST /v1/payments/{key}/cancel` | failed as `cancelled`, unless it is settled already |
| `POST /v1/payments/{key}/refunds` `{key, amount}` | the refund; one that failed is tried again when asked again |
| `GET /v1/payments/{key}/refunds/{refund}` | the truth about a refund, or 404 |
| `GET, POST /actions/{token}` | the page on which a person approves or declines (3-D Secure) |
| `GET /health` | 200 |

A payment that settles is told by a signed webhook `{id, type, created, payment}`, repeated until it is answered 2xx: to the payment's
`webhook_url`, PAYMENT_WEBHOOK_URL where it names none. `payment_sandbox.methods` says what each test method does. Amounts are integers
in minor units. Repeating a request under its key does nothing twice; the same key with another request is 409.
"""
