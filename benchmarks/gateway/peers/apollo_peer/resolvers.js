// The resolvers. Fields with the name of the message's field need none.
import { call } from "./services.js";

const WHOLE = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" "));
const THOUSANDTHS = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));

const globalId = (kind, raw) => Buffer.from(`${kind}:${raw}`).toString("base64");
const rawId = (value) => Buffer.from(value, "base64").toString().split(":")[1];
const text = (localized) => localized.en || localized.fr;
const instant = (stamp) => stamp && new Date(stamp.seconds * 1000 + Math.trunc(stamp.nanos / 1e6)).toISOString();
const without = (prefix, value) => value.slice(prefix.length);

function amount({ minorUnits, currencyCode }) {
  if (WHOLE.has(currencyCode)) return String(minorUnits);
  const places = THOUSANDTHS.has(currencyCode) ? 3 : 2;
  const digits = String(Math.abs(minorUnits)).padStart(places + 1, "0");
  return `${minorUnits < 0 ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const refusal = (error) => [{ code: String(error.code), message: error.details ?? error.message }];

export const resolvers = {
  Query: {
    me: (_, __, { traveller }) => ({ id: traveller }),
    destinations: (_, { search, first }, { token }) =>
      call("destinations", "searchDestinations", { search, locale: "LOCALE_EN", page: { first: first ?? 20 } }, token),
  },
  Mutation: {
    async createQuote(_, { departure, adults }, { token }) {
      try {
        const answer = await call("bookings", "createQuote", { departureId: rawId(departure), adults }, token);
        return { quote: answer.quote, errors: [] };
      } catch (error) {
        return { quote: null, errors: refusal(error) };
      }
    },
    async createBooking(_, { input }, { token }) {
      const passengers = input.passengers.map((each) => ({ ...each, kind: `PASSENGER_KIND_${each.kind}` }));
      const request = { quoteId: rawId(input.quote), passengers, idempotencyKey: input.idempotencyKey };
      try {
        return { booking: (await call("bookings", "createBooking", request, token)).booking, errors: [] };
      } catch (error) {
        return { booking: null, errors: refusal(error) };
      }
    },
  },
  User: {
    id: (user) => globalId("User", user.id),
    email: async (user, _, { loaders }) => (await loaders.users.load(user.id)).email,
    profile: async (user, _, { loaders }) => (await loaders.users.load(user.id)).profile,
    async bookings(user, { status, first, after }, { token }) {
      const request = {
        travellerIds: [user.id],
        status: status ? `BOOKING_STATUS_${status}` : undefined,
        page: { first: first ?? 20, after: after ?? "" },
      };
      return (await call("bookings", "batchListBookings", request, token)).pages[0];
    },
  },
  Profile: { locale: (profile) => without("LOCALE_", profile.locale) },
  Booking: {
    id: (booking) => globalId("Booking", booking.id),
    status: (booking) => without("BOOKING_STATUS_", booking.status),
    title: (booking) => text(booking.title),
    startsAt: (booking) => instant(booking.startsAt),
    holdExpiresAt: (booking) => instant(booking.holdExpiresAt),
    departure: (booking, _, { loaders }) => loaders.departures.load(booking.departureId),
    invoice: async (booking, _, { loaders }) =>
      (await loaders.invoices.load(booking.id)).find((invoice) => invoice.kind === "INVOICE_KIND_INVOICE") ?? null,
  },
  Departure: {
    id: (departure) => globalId("Departure", departure.id),
    startsAt: (departure) => instant(departure.startsAt),
    endsAt: (departure) => instant(departure.endsAt),
    status: (departure) => without("DEPARTURE_STATUS_", departure.status),
    trip: (departure, _, { loaders }) => loaders.trips.load(departure.tripId),
  },
  Trip: {
    title: (trip) => text(trip.title),
    destination: (trip, _, { loaders }) => loaders.destinations.load(trip.destinationId),
  },
  Destination: {
    id: (place) => globalId("Destination", place.id),
    kind: (place) => without("DESTINATION_KIND_", place.kind),
    name: (place) => text(place.name),
    summary: (place) => text(place.summary),
    ancestors: (place, _, { loaders }) => loaders.destinations.loadMany(place.ancestorIds),
    photos: (place, _, { loaders }) => loaders.photos.load(place.id),
    averagePrices: (place, _, { loaders }) => loaders.averagePrices.load(place.id),
  },
  Photo: {
    url(photo, { width }) {
      const widest = photo.renditions.at(-1);
      return (photo.renditions.find((each) => each.width >= (width ?? widest.width)) ?? widest).url;
    },
    alt: (photo) => text(photo.alt),
  },
  AveragePrice: { category: (price) => without("PRICE_CATEGORY_", price.category) },
  Invoice: { issuedAt: (invoice) => instant(invoice.issuedAt) },
  Money: { amount, currency: (money) => money.currencyCode },
  Quote: {
    id: (quote) => globalId("Quote", quote.id),
    expiresAt: (quote) => instant(quote.expiresAt),
  },
  PriceLine: { label: (line) => text(line.label) },
};
