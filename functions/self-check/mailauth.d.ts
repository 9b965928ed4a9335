// What we use of mailauth's SPF alone, which brings no types of its own: `import "mailauth"` would load the whole of it.
declare module "mailauth/lib/spf/index.js" {
  interface Spf {
    readonly status: {
      readonly result: "pass" | "fail" | "softfail" | "neutral" | "none" | "permerror" | "temperror";
      readonly comment?: string;
    };
    /** The record. */
    readonly rr?: string;
  }

  export function spf(options: {
    readonly sender: string;
    readonly ip: string;
    readonly helo: string;
    readonly mta: string;
    readonly strict: boolean;
    readonly maxElapsedTime: number;
    /** Rejects with the `code` of an answer without records: ENODATA or ENOTFOUND. */
    readonly resolver: (name: string, type: string) => Promise<unknown[]>;
  }): Promise<Spf>;
}
