// AWS Secrets Manager as a store of secrets. Whoever imports this loads its SDK, of which it names the one call alone, so
// that a bundle holds no other. It keeps nothing.
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Store } from "./store.ts";

export function openSecretsManager(settings: object): Store {
  const client = new SecretsManagerClient(settings);
  return async (name) => (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString ?? "";
}
