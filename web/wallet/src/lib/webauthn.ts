// Passkey ceremonies over the JSON forms of WebAuthn level 3. Browsers without the JSON helpers get the same
// conversion here: base64url text to bytes on the way in, bytes to base64url text on the way out.

type Json = Record<string, unknown>

export class PasskeyRefused extends Error {
  constructor(readonly reason: 'cancelled' | 'unsupported' | 'exists' | 'failed') {
    super(reason)
  }
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  const bytes = new Uint8Array(plain.length)
  for (let i = 0; i < plain.length; i += 1) bytes[i] = plain.charCodeAt(i)
  return bytes
}

export function toBase64url(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  let plain = ''
  for (const byte of view) plain += String.fromCharCode(byte)
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

export function passkeysSupported(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && typeof navigator.credentials?.create === 'function'
}

// A server may write an absent option as null, which the browser's own parser refuses.
function inner(options: Json): Json {
  const given = (options.publicKey as Json | undefined) ?? options
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

function descriptors(list: unknown): PublicKeyCredentialDescriptor[] | undefined {
  if (!Array.isArray(list)) return undefined
  return list.map((item) => ({ ...item, id: fromBase64url(String(item.id)) }))
}

function creation(json: Json): PublicKeyCredentialCreationOptions {
  if (typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function') {
    return PublicKeyCredential.parseCreationOptionsFromJSON(json as unknown as PublicKeyCredentialCreationOptionsJSON)
  }
  const user = json.user as Json
  return {
    ...(json as object),
    challenge: fromBase64url(String(json.challenge)),
    user: { ...user, id: fromBase64url(String(user.id)) },
    excludeCredentials: descriptors(json.excludeCredentials) ?? [],
  } as unknown as PublicKeyCredentialCreationOptions
}

function request(json: Json): PublicKeyCredentialRequestOptions {
  if (typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function') {
    return PublicKeyCredential.parseRequestOptionsFromJSON(json as unknown as PublicKeyCredentialRequestOptionsJSON)
  }
  return {
    ...(json as object),
    challenge: fromBase64url(String(json.challenge)),
    allowCredentials: descriptors(json.allowCredentials) ?? [],
  } as PublicKeyCredentialRequestOptions
}

function credentialJson(credential: PublicKeyCredential): Json {
  if (typeof credential.toJSON === 'function') return credential.toJSON() as unknown as Json
  const common = {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  }
  const response = credential.response
  if (response instanceof AuthenticatorAttestationResponse) {
    return {
      ...common,
      response: {
        clientDataJSON: toBase64url(response.clientDataJSON),
        attestationObject: toBase64url(response.attestationObject),
        transports: response.getTransports?.() ?? [],
      },
    }
  }
  const assertion = response as AuthenticatorAssertionResponse
  return {
    ...common,
    response: {
      clientDataJSON: toBase64url(assertion.clientDataJSON),
      authenticatorData: toBase64url(assertion.authenticatorData),
      signature: toBase64url(assertion.signature),
      ...(assertion.userHandle ? { userHandle: toBase64url(assertion.userHandle) } : {}),
    },
  }
}

function refusal(error: unknown): PasskeyRefused {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'AbortError') return new PasskeyRefused('cancelled')
  if (name === 'InvalidStateError') return new PasskeyRefused('exists')
  return new PasskeyRefused('failed')
}

async function ceremony(run: () => Promise<Credential | null>): Promise<Json> {
  if (!passkeysSupported()) throw new PasskeyRefused('unsupported')
  let credential: Credential | null
  try {
    credential = await run()
  } catch (error) {
    throw refusal(error)
  }
  if (!credential) throw new PasskeyRefused('cancelled')
  return credentialJson(credential as PublicKeyCredential)
}

/** Makes a new passkey; the answer is a RegistrationResponseJSON. */
export function createPasskey(options: Json): Promise<Json> {
  return ceremony(() => navigator.credentials.create({ publicKey: creation(inner(options)) }))
}

/** Asks for a passkey; the answer is an AuthenticationResponseJSON. */
export function askPasskey(options: Json): Promise<Json> {
  return ceremony(() => navigator.credentials.get({ publicKey: request(inner(options)) }))
}

/** A name for this device that its owner will recognise in the security centre. */
export function deviceName(agent: string): string {
  const system = /iPhone|iPad|Android|Windows|Mac OS X|CrOS|Linux/.exec(agent)?.[0] ?? 'Device'
  const browser = /Edg|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? 'browser'
  const spoken: Record<string, string> = { 'Mac OS X': 'Mac', CrOS: 'Chromebook', Edg: 'Edge' }
  return `${spoken[system] ?? system} · ${spoken[browser] ?? browser}`
}
