// The Parameter Store of AWS Systems Manager as a store of secrets. Whoever imports this loads its SDK, of which it names the
// one call alone, so that a bundle holds no other. It keeps nothing.
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Store } from "./store.ts";

export function openParameterStore(settings: object): Store {
  const client = new SSMClient(settings);
  return async (name) => {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return Parameter?.Value ?? "";
  };
}
