"""The waiting list of a full departure: its entries and the offers made to them."""
