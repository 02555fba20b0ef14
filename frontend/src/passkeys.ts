// Passkeys: a form with data-passkey ("get" or "create") asks the browser, puts the answer into its field `credential`
// and goes. What to ask stands in data-options (JSON, binary values in base64url), or is fetched from data-options-from.
// Browsers know no passkeys without a secure page; then such a form is not shown, and the page says the other way.

type Json = Record<string, unknown>;

function bytes(coded: string): Uint8Array<ArrayBuffer> {
  const plain = atob(coded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}

function text(buffer: ArrayBuffer | null): string | null {
  if (buffer === null) return null;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function withIds(list: unknown): PublicKeyCredentialDescriptor[] {
  return Array.isArray(list) ? list.map((one: Json) => ({ ...one, id: bytes(String(one["id"])) }) as never) : [];
}

function wanted(options: Json): Json {
  const asked = options["publicKey"];
  return typeof asked === "object" && asked !== null ? (asked as Json) : options;
}

async function get(options: Json): Promise<Json> {
  const asked = wanted(options);
  const publicKey = {
    ...asked,
    challenge: bytes(String(asked["challenge"])),
    allowCredentials: withIds(asked["allowCredentials"]),
  } as PublicKeyCredentialRequestOptions;
  const made = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAssertionResponse;
  return {
    ...told(made),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  };
}

async function create(options: Json, alone: boolean): Promise<Json> {
  const asked = wanted(options);
  const user = asked["user"] as Json;
  const how = (asked["authenticatorSelection"] ?? {}) as Json;
  const publicKey = {
    ...asked,
    challenge: bytes(String(asked["challenge"])),
    user: { ...user, id: bytes(String(user["id"])) },
    excludeCredentials: withIds(asked["excludeCredentials"]),
    authenticatorSelection: {
      ...how,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone ? { userVerification: "required" } : {}),
    },
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    ...told(made),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

function told(made: PublicKeyCredential): Json {
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment,
    clientExtensionResults: made.getClientExtensionResults(),
  };
}

async function optionsOf(form: HTMLFormElement): Promise<Json> {
  const from = form.dataset["optionsFrom"];
  if (from === undefined) return JSON.parse(form.dataset["options"] ?? "{}") as Json;
  const answer = await fetch(from, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return ((await answer.json()) as { request_options: Json }).request_options;
}

function problem(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") return "This device has a passkey for your account already.";
  if (name === "NotAllowedError") return "Nothing was done: the browser was told no, or waited too long. Try again.";
  return "The browser could not do it. Try again, or use another way.";
}

async function press(form: HTMLFormElement, button: HTMLButtonElement): Promise<void> {
  const note = form.querySelector<HTMLElement>("[data-passkey-problem]");
  const field = form.querySelector<HTMLInputElement>("input[name=credential]");
  if (!field) return;
  if (note) note.hidden = true;
  button.disabled = true;
  try {
    const options = await optionsOf(form);
    const alone = form.querySelector<HTMLInputElement>("input[name=passwordless]")?.checked ?? false;
    const made = form.dataset["passkey"] === "create" ? await create(options, alone) : await get(options);
    field.value = JSON.stringify(made);
    form.requestSubmit();
  } catch (error) {
    if (note) {
      note.textContent = problem(error);
      note.hidden = false;
    }
  } finally {
    button.disabled = false;
  }
}

export function startPasskeys(): void {
  const able = "PublicKeyCredential" in window;
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    form.hidden = !able;
    const button = form.querySelector<HTMLButtonElement>("[data-passkey-button]");
    button?.addEventListener("click", () => void press(form, button));
  }
}
