"""The GraphQL operations of the demo, as any client would write them."""

from typing import Final

ERRORS: Final = "errors { code message field params }"
MONEY: Final = "{ amount currency }"

REGISTER: Final = f"mutation Register($input: RegisterInput!) {{ register(input: $input) {{ ok {ERRORS} }} }}"
VERIFY: Final = f"mutation Verify($token: String!) {{ verifyEmail(token: $token) {{ ok {ERRORS} }} }}"
LOGIN: Final = f"""
mutation Login($email: String!, $password: String!) {{
  login(email: $email, password: $password) {{ accessToken refreshToken expiresIn {ERRORS} }}
}}
"""
ME: Final = "query Me { me { email emailVerified profile { firstName currency } } }"

DESTINATION: Final = f"""
query Place($slug: String!, $currency: String!) {{
  destination(slug: $slug) {{
    name french: name(locale: FR) summary population timeZone latitude longitude
    ancestors {{ name }}
    children(kind: POINT_OF_INTEREST, first: 3) {{ edges {{ node {{ name }} }} }}
    photos {{ url(width: 640) license }}
    averagePrices {{ category price {MONEY} converted(currency: $currency) {MONEY} asOf source }}
  }}
}}
"""
TRIP: Final = f"""
query Trip($slug: String!, $after: Date!) {{
  trip(slug: $slug) {{
    title french: title(locale: FR) durationDays fromPrice {MONEY}
    destination {{ slug name }}
    cancellationPolicy {{ daysBefore refundPercent }}
    departures(departsAfter: $after, onlyAvailable: true, first: 10) {{
      edges {{ node {{ id startsAt timeZone adultPrice {MONEY} childPrice {MONEY} capacity seatsAvailable }} }}
    }}
  }}
}}
"""
SEATS: Final = "query Seats($id: ID!) { node(id: $id) { ... on Departure { seatsAvailable } } }"
QUOTE: Final = f"""
mutation Quote($departure: ID!, $adults: Int!, $children: Int!, $currency: String!) {{
  createQuote(departure: $departure, adults: $adults, children: $children) {{
    quote {{
      id expiresAt total {MONEY} convertedTotal(currency: $currency) {MONEY}
      lines {{ label quantity unitPrice {MONEY} total {MONEY} }}
    }}
    {ERRORS}
  }}
}}
"""
BOOK: Final = f"""
mutation Book($input: CreateBookingInput!) {{
  createBooking(input: $input) {{ booking {{ id reference status sequence holdExpiresAt total {MONEY} }} {ERRORS} }}
}}
"""
PAY: Final = f"""
mutation Pay($input: PayBookingInput!) {{
  payBooking(input: $input) {{ payment {{ status provider failureCode }} booking {{ status }} {ERRORS} }}
}}
"""
QUOTE_CANCELLATION: Final = f"""
mutation WhatIf($reference: String!) {{
  quoteCancellation(reference: $reference) {{
    cancellationQuote {{ id refund {MONEY} kept {MONEY} explanation expiresAt }} {ERRORS}
  }}
}}
"""
CANCEL: Final = f"""
mutation Cancel($quote: ID!) {{
  cancelBooking(cancellationQuote: $quote) {{
    booking {{ status reason refunded {MONEY} refunds {{ status amount {MONEY} }} }} {ERRORS}
  }}
}}
"""
OVERVIEW: Final = f"""
query Overview {{
  me {{
    email
    bookings(first: 5) {{
      edges {{
        node {{
          reference status reason title paid {MONEY} refunded {MONEY}
          departure {{ startsAt trip {{ title destination {{ name ancestors {{ name }} }} }} }}
          invoice {{ number pdfUrl }}
          creditNotes {{ number }}
          history {{ sequence type status }}
        }}
      }}
    }}
    notifications(first: 20) {{ edges {{ node {{ channel template subject status }} }} }}
  }}
}}
"""

# ---------------------------------------------------------------- the full demo
TRIPS_WITH_DEPARTURES: Final = """
query Trips($after: Date!) {
  trips(first: 20) {
    edges { node { id durationDays departures(departsAfter: $after, onlyAvailable: true, first: 20) {
      edges { node { id seatsAvailable } }
    } } }
  }
}
"""
DEPARTURE: Final = """
query Departure($id: ID!) {
  node(id: $id) { ... on Departure { id startsAt timeZone capacity seatsAvailable trip { title } } }
}
"""
QUOTE_SEATS: Final = f"""
mutation QuoteSeats($departure: ID!, $adults: Int!, $entry: ID) {{
  createQuote(departure: $departure, adults: $adults, waitlistEntry: $entry) {{ quote {{ id expiresAt }} {ERRORS} }}
}}
"""
PAY_AND_ACT: Final = f"""
mutation PayAndAct($input: PayBookingInput!) {{
  payBooking(input: $input) {{ payment {{ status failureCode nextAction {{ redirectUrl }} }} {ERRORS} }}
}}
"""
QUOTE_SOME: Final = f"""
mutation QuoteSome($reference: String!, $passengers: [ID!]) {{
  quoteCancellation(reference: $reference, passengers: $passengers) {{
    cancellationQuote {{ id refund {MONEY} kept {MONEY} explanation }} {ERRORS}
  }}
}}
"""
BOOKING: Final = f"""
query Booking($reference: String!) {{
  booking(reference: $reference) {{
    reference status reason paid {MONEY} refunded {MONEY} passengers {{ id cancelled }} creditNotes {{ number }}
  }}
}}
"""
JOIN: Final = f"""
mutation Join($departure: ID!, $seats: Int!) {{
  joinWaitlist(departure: $departure, seats: $seats) {{ entry {{ id status position }} {ERRORS} }}
}}
"""
WAITLIST: Final = "query Waitlist { me { waitlist { id status position offeredUntil } } }"
