// What we use of mailauth's DMARC and of its tools: `import "mailauth"` would load the whole of it, and its tools bring no
// types.
declare module "mailauth/lib/dmarc/index.js" {
  interface Dmarc {
    readonly status: { readonly result: "pass" | "fail" | "none" | "neutral" | "temperror" };
    /** What a receiver is asked to do with what fails; there where a record was found. */
    readonly policy?: string;
    /** The domain that is aligned as the record asks, relaxed or strict; there where a record was found. */
    readonly alignment?: {
      readonly spf: { readonly result?: string };
      readonly dkim: { readonly result?: string };
    };
  }

  /** False: it is no domain. */
  export function dmarc(options: {
    readonly headerFrom: string;
    readonly spfDomains: readonly string[];
    readonly dkimDomains: readonly { readonly domain: string }[];
    /** Rejects with the `code` of an answer without records: ENODATA or ENOTFOUND. */
    readonly resolver: (name: string, type: string) => Promise<unknown[]>;
  }): Promise<Dmarc | false>;
}

declare module "mailauth/lib/tools.js" {
  /** The first of the domains that has the same organisational domain, by the Public Suffix List; false: none has. */
  export function getAlignment(
    fromDomain: string,
    domains: readonly string[],
    strict: boolean,
  ): { readonly domain: string } | false;
}
