// What hosts on loopback show in tests: a certificate, and the authority that signed it, which no root store knows. Their
// keys are public or gone, and protect nothing. Who shows them it does not know.
import { getCACertificates, setDefaultCACertificates } from "node:tls";

const roots = getCACertificates("default");

/** Valid until 2120, for mta-sts.policy.test, mta-sts.to.test, a.test, b.test and c.test. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIB9DCCAZqgAwIBAgIBAjAKBggqhkjOPQQDAjBDMRMwEQYDVQQDDAp0by50ZXN0
IENBMSwwKgYDVQQKDCNkZWxpdmVyeS1wcm9iZSB0ZXN0cywgbG9vcGJhY2sgb25s
eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHjEcMBoGA1UEAwwT
bXRhLXN0cy5wb2xpY3kudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA73
XR4mvv+MKqgbgNMWh5vJ8tO73MriTPQgbJ4q/ZZI7HJSoK0Jm5Ch0z/MF3+dQECt
lTV7MlAHff/StEuzvv+jgaEwgZ4wRwYDVR0RBEAwPoITbXRhLXN0cy5wb2xpY3ku
dGVzdIIPbXRhLXN0cy50by50ZXN0ggZhLnRlc3SCBmIudGVzdIIGYy50ZXN0MBMG
A1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBQbaagnnXVD0WKO3vsg9tAG92Zv
LjAfBgNVHSMEGDAWgBTjldCL/fjqEhOxBVQ7EWCFLBdgyDAKBggqhkjOPQQDAgNI
ADBFAiBdq3rpFMc8CA57hhzrzMsdS12jmHSRZCdNnV14bsEYpgIhANxvqApfrOKc
7jvuNfk2u7Ofqq6VI0ySxT3hJmkggqrf
-----END CERTIFICATE-----
`;

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpfAqCinOwEykmU0A
HbVakz/cMnYRK+aWvonWnWvGBV6hRANCAAQO910eJr7/jCqoG4DTFoebyfLTu9zK
4kz0IGyeKv2WSOxyUqCtCZuQodM/zBd/nUBArZU1ezJQB33/0rRLs77/
-----END PRIVATE KEY-----
`;

/** Its own issuer. */
export const authority = `-----BEGIN CERTIFICATE-----
MIIBuTCCAV+gAwIBAgIBATAKBggqhkjOPQQDAjBDMRMwEQYDVQQDDAp0by50ZXN0
IENBMSwwKgYDVQQKDCNkZWxpdmVyeS1wcm9iZSB0ZXN0cywgbG9vcGJhY2sgb25s
eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowQzETMBEGA1UEAwwK
dG8udGVzdCBDQTEsMCoGA1UECgwjZGVsaXZlcnktcHJvYmUgdGVzdHMsIGxvb3Bi
YWNrIG9ubHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASkC40/QSi5ZQ+1glrM
HTGfLsYjXjocCqLpbdERrJ3gw/cZwslvP7nbtFdki26jPe4WtZGB8qLx7J0sbNnE
vhheo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4E
FgQU45XQi/346hITsQVUOxFghSwXYMgwCgYIKoZIzj0EAwIDSAAwRQIhAKvgwPsg
POPg9FiBhN2SW+8PBjcIBxrxn/IwWdu0XT74AiBwk60OyrFVUIM77zkiKaUxc+3/
di8IeAhQMfUFgXDtAw==
-----END CERTIFICATE-----
`;

/** Puts the authority among those that this process takes for public ones, or out of them again. */
export function trustAuthority(isTrusted: boolean): void {
  setDefaultCACertificates(isTrusted ? [...roots, authority] : roots);
}
