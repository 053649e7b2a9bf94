// The DataLoaders of one request.
import DataLoader from "dataloader";
import { call } from "./services.js";

const MAX_BATCH = 500;

export function makeLoaders(token) {
  const loader = (load) => new DataLoader(load, { maxBatchSize: MAX_BATCH });
  const byId = (service, method, field) =>
    loader(async (ids) => {
      const answer = await call(service, method, { ids }, token);
      const rows = new Map(answer[field].map((row) => [row.id, row]));
      return ids.map((id) => rows.get(id) ?? null);
    });
  const lists = (service, method, keyName, request, field, rowsOf) =>
    loader(async (ids) => {
      const answer = await call(service, method, request(ids), token);
      const rows = new Map(answer[field].map((row) => [row[keyName], row[rowsOf]]));
      return ids.map((id) => rows.get(id) ?? []);
    });
  return {
    users: byId("users", "batchGetUsers", "users"),
    departures: byId("destinations", "batchGetDepartures", "departures"),
    trips: byId("destinations", "batchGetTrips", "trips"),
    destinations: byId("destinations", "batchGetDestinations", "destinations"),
    photos: loader(async (destinationIds) => {
      const answer = await call("destinations", "batchListPhotos", { destinationIds }, token);
      const photos = new Map(destinationIds.map((id) => [id, []]));
      for (const photo of answer.photos) photos.get(photo.destinationId).push(photo);
      return destinationIds.map((id) => photos.get(id));
    }),
    averagePrices: lists(
      "destinations", "batchListAveragePrices", "destinationId", (destinationIds) => ({ destinationIds }),
      "destinations", "prices",
    ),
    invoices: lists(
      "notifications", "batchListBookingInvoices", "bookingId", (bookingIds) => ({ bookingIds }), "bookings", "invoices",
    ),
  };
}
