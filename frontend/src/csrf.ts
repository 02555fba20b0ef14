// The token that proves a request comes from our own page. Signing in changes it, in this tab or another one, so it is
// read again for every request.

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? "";
}

/** Whether somebody else has signed in in this browser since this page came: what it sends would be sent as theirs. */
export function isAnothers(): boolean {
  const mine = document.body.dataset["member"];
  const now = cookie("truesend_member");
  return Boolean(mine && now && mine !== now);
}

/** Empty, and so refused, on a page of somebody who is not the one signed in. */
export function csrfToken(): string {
  if (isAnothers()) return "";
  return cookie("csrftoken") || document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value || "";
}

/** Before a form goes: its hidden field as it must read now. */
export function freshToken(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  if (field) field.value = csrfToken();
}
