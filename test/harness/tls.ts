import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Key of a certificate that is good for hub.test, *.hub.test and 127.0.0.1 until 2125, and for tests only. */
export const key = [
  '-----BEGIN PRIVATE KEY-----',
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcJqEPlxtm6dYwsWP',
  '/6ZnIzg64sQSSYWFVvPAPupV/1ehRANCAASjfrBRKDYzOOJoPG6KUEjxiRdVNcgC',
  'Plrh5K6QPDwTTAyH+DF3Dn33iYR1golL+sqUholICTRw28olNx4olAKW',
  '-----END PRIVATE KEY-----',
].join('\n')

/** The certificate, signed by itself. */
export const cert = [
  '-----BEGIN CERTIFICATE-----',
  'MIIBpTCCAUqgAwIBAgIUbipnfQirxgVcYHSxw9LeDcIN6l4wCgYIKoZIzj0EAwIw',
  'EzERMA8GA1UEAwwIaHViLnRlc3QwIBcNMjYxMTI0MDEzNjAwWhgPMjEyNjEwMzEw',
  'MTM2MDBaMBMxETAPBgNVBAMMCGh1Yi50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D',
  'AQcDQgAEo36wUSg2MzjiaDxuilBI8YkXVTXIAj5a4eSukDw8E0wMh/gxdw5994mE',
  'dYKJS/rKlIaJSAk0cNvKJTceKJQClqN6MHgwHQYDVR0OBBYEFD3pRUoPYnKaXAla',
  '0/KzDI3ZVL+2MB8GA1UdIwQYMBaAFD3pRUoPYnKaXAla0/KzDI3ZVL+2MA8GA1Ud',
  'EwEB/wQFMAMBAf8wJQYDVR0RBB4wHIIIaHViLnRlc3SCCiouaHViLnRlc3SHBH8A',
  'AAEwCgYIKoZIzj0EAwIDSQAwRgIhAJmbDRI6cbNkIrnHf+W7VJPwnS2+huWC7cbl',
  'KoeEyl9cAiEA5xNecFsGogxu8qIREvl+WC4rdcAsVIUQvSQ86/dsGvc=',
  '-----END CERTIFICATE-----',
].join('\n')

/** Has this process trust the certificate until the returned function is called. */
export function trustTestCertificate(): () => void {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  return () => setDefaultCACertificates(before)
}
