// The token that proves a request comes from our own page. Signing in changes it, in this tab or another one, so it is
// read again for every request.

const NAME = "csrftoken=";

export function csrfToken(): string {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith(NAME));
  return cookie?.slice(NAME.length) || document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value || "";
}

/** Before a form goes: its hidden field as it must read now. */
export function freshToken(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  if (field) field.value = csrfToken();
}
