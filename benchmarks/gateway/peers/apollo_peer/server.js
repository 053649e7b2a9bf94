// The gateway with Apollo Server, as its documentation advises. Only the types that the workloads touch.
import { readFileSync } from "node:fs";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { GraphQLError } from "graphql";
import { makeLoaders } from "./loaders.js";
import { resolvers } from "./resolvers.js";
import { travellerOf } from "./services.js";

const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
// Parsed and validated documents are kept in the document store, which is on by default.
const server = new ApolloServer({ typeDefs, resolvers, cache: "bounded", introspection: false });

async function context({ req }) {
  const token = (req.headers.authorization ?? "").slice("Bearer ".length);
  try {
    return { token, traveller: await travellerOf(token), loaders: makeLoaders(token) };
  } catch {
    throw new GraphQLError("The token is not valid.", { extensions: { code: "UNAUTHENTICATED", http: { status: 401 } } });
  }
}

await startStandaloneServer(server, { context, listen: { host: "127.0.0.1", port: Number(process.env.PORT) } });
