"""The seats of departures: taking and freeing them, what the catalogue says of them, publishing and auditing them."""
