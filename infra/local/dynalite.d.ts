// What we use of dynalite, which brings no types: a function that makes a server. Nothing of how it answers.
declare module "dynalite" {
  import type { Server } from "node:http";

  function dynalite(options: {
    readonly path?: string;
    readonly createTableMs: number;
    readonly deleteTableMs: number;
    readonly updateTableMs: number;
  }): Server;
  export = dynalite;
}
