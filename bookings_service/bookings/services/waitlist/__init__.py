"""The waiting list of a full departure: joining and leaving it, taking an offer, and expiry.

`services/seats/offering.py` makes the offers, because seats that are given back are offered in the same call.
"""
