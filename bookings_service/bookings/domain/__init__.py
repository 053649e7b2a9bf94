"""The rules of bookings. Pure: values and `now` in, values or refusals out.

Only the reference of a booking is random.
"""
