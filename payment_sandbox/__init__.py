"""A payment provider for development. It stands for another company's system: its own process and its own store.

Of this repository it imports only `shared.failpoints`. `python -m payment_sandbox` serves:

| request | answer |
|---|---|
| `POST /v1/payments` `{key, amount, currency, method}` | the payment. The caller identifies it by `key` from then on |
| `GET /v1/payments/{key}` | the payment, or 404 if the request never arrived |
| `POST /v1/payments/{key}/cancel` | the payment, failed as `cancelled` unless its outcome is already final |
| `POST /v1/payments/{key}/refunds` `{key, amount}` | the refund. A repeated request tries a failed refund again |
| `GET /v1/payments/{key}/refunds/{refund}` | the refund, or 404 |
| `GET, POST /actions/{token}` | the page on which a person approves or declines (3-D Secure) |
| `GET /health` | 200 |

When a payment succeeds or fails, the sandbox sends a signed webhook `{id, type, created, payment}` until it is answered
2xx. It goes to the payment's `webhook_url`, or to PAYMENT_WEBHOOK_URL if the payment has none.
`payment_sandbox.methods` lists what each test method does. Amounts are integers in minor units. A request repeated with
its key has no second effect. The same key with another request is 409.
"""
