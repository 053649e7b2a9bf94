// GraphiQL over this gateway: queries by POST, subscriptions by graphql-transport-ws with the token of the headers' tab.
"use strict";

const EXAMPLE = `# Travel's public graph. Ctrl-Enter runs the operation under the cursor.
#
# Sign in with the \`login\` mutation, then put the access token into the "Headers" tab below:
#   { "Authorization": "Bearer …" }
# A traveller for trying things out: ./manage_all.py demo makes one.

query Trips {
  trips(first: 5) {
    totalCount
    edges {
      node {
        title
        durationDays
        fromPrice { amount currency }
        destination { name countryCode parent { name } }
        departures(first: 2, onlyAvailable: true) {
          edges { node { id startsAt seatsAvailable adultPrice { amount currency } } }
        }
      }
    }
  }
}
`;

const socketUrl = location.origin.replace(/^http/, "ws") + "/graphql";
let headersNow = {};

const ask = GraphiQL.createFetcher({ url: "/graphql" });

function authorization(headers) {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === "authorization");
  return name ? { authorization: headers[name] } : {};
}

// One socket per token: the token of a socket is said once, when it opens.
const clients = new Map();
function clientFor(headers) {
  const said = authorization(headers);
  const key = said.authorization || "";
  if (!clients.has(key)) {
    clients.set(key, graphqlWs.createClient({ url: socketUrl, connectionParams: said, lazy: true, retryAttempts: 2 }));
  }
  return clients.get(key);
}

const subscribing = (query, name) => {
  const operations = [...query.matchAll(/\b(query|mutation|subscription)\s+(\w+)?/g)];
  const chosen = name ? operations.find((found) => found[2] === name) : operations[0];
  return Boolean(chosen) && chosen[1] === "subscription";
};

function fetcher(parameters, options) {
  headersNow = (options && options.headers) || {};
  if (!subscribing(parameters.query.replace(/#.*$/gm, ""), parameters.operationName)) {
    return ask(parameters, options);
  }
  return clientFor(headersNow).iterate(parameters);
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: EXAMPLE, defaultEditorToolsVisibility: "headers" }),
);
