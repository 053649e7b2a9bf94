// Channels to the services by @grpc/grpc-js, this gateway's credential, and the travellers' tokens.
import { createPrivateKey } from "node:crypto";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { SignJWT, createRemoteJWKSet, jwtVerify } from "jose";

const DEADLINE_MS = 5_000;
const CREDENTIAL_MS = 240_000;
const ED25519_PREFIX = "302e020100300506032b657004220420"; // the PKCS #8 head of a raw Ed25519 seed

const names = ["users", "destinations", "bookings", "notifications"];
const definition = protoLoader.loadSync(
  names.map((name) => `travel/${name}/v1/${name}.proto`),
  { includeDirs: [process.env.PROTO_DIR], longs: Number, enums: String, defaults: true, arrays: true },
);
const packages = grpc.loadPackageDefinition(definition).travel;
const clients = Object.fromEntries(
  names.map((name) => {
    const Client = packages[name].v1[`${name[0].toUpperCase()}${name.slice(1)}Service`];
    return [name, new Client(process.env[`${name.toUpperCase()}_GRPC`], grpc.credentials.createInsecure())];
  }),
);

const seed = Buffer.from(process.env.SERVICE_PRIVATE_KEY, "base64").toString("hex");
const key = createPrivateKey({ key: Buffer.from(ED25519_PREFIX + seed, "hex"), format: "der", type: "pkcs8" });
const credentials = new Map();

async function credentialFor(audience) {
  const known = credentials.get(audience);
  if (known && Date.now() < known.until) return known.credential;
  const credential = await new SignJWT({ token_use: "service" })
    .setProtectedHeader({ alg: "EdDSA" })
    .setIssuer("gateway")
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(key);
  credentials.set(audience, { credential, until: Date.now() + CREDENTIAL_MS });
  return credential;
}

export async function call(service, method, request, token) {
  const metadata = new grpc.Metadata();
  metadata.set("x-service-credential", await credentialFor(service));
  metadata.set("authorization", `Bearer ${token}`);
  metadata.set("x-locale", "en");
  return new Promise((resolve, reject) => {
    clients[service][method](request, metadata, { deadline: Date.now() + DEADLINE_MS }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

const keySet = createRemoteJWKSet(new URL(process.env.JWKS_URL));

export async function travellerOf(token) {
  const options = { algorithms: ["EdDSA"], issuer: "travel.users", audience: "travel", clockTolerance: 30 };
  return (await jwtVerify(token, keySet, options)).payload.sub;
}
