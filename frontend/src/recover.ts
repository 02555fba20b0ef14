// Emergency copies whose page is gone: a tab was closed while the server could not be reached. They are saved from
// whatever page of the same member opens next.
import { dropCopy, draftKey, draftsWithCopy, readCopy } from "./emergency.ts";
import { toast } from "./toasts.ts";

// A younger copy belongs to a page that is still being written on.
const REST = 30_000;

async function recover(member: string, draft: string, token: string): Promise<void> {
  const key = draftKey(member, draft);
  const copy = readCopy(localStorage, key);
  if (!copy || Date.now() - copy.at < REST) return;
  const response = await fetch(`/emails/drafts/${draft}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify(copy.fields),
  });
  const sentMeanwhile = response.status === 409;
  if (!response.redirected && (response.ok || sentMeanwhile)) dropCopy(localStorage, key);
  if (!response.redirected && response.ok) toast("A draft that had not been saved is in My Emails again.");
}

export function startRecovery(): void {
  const { member } = document.body.dataset;
  const token = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value;
  if (!member || !token) return;
  const here = document.querySelector<HTMLFormElement>("form#compose")?.dataset["draft"];
  // The page of a sent email needs no copy of its draft: the two have the same id.
  const sent = /^\/emails\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1];
  if (sent) dropCopy(localStorage, draftKey(member, sent));
  for (const draft of draftsWithCopy(localStorage, member)) {
    // Not reachable now: the copy stays for the next page.
    if (draft !== here) recover(member, draft, token).catch(() => undefined);
  }
}
