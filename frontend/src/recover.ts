// Emergency copies whose page is gone: a tab was closed while the server could not be reached. They are saved from
// whatever page of the same member opens next.
import { csrfToken } from "./csrf.ts";
import { dropCopy, draftKey, draftsWithCopy, newDraftId, readCopy, type Fields } from "./emergency.ts";
import { toast } from "./toasts.ts";

// A younger copy belongs to a page that is still being written on.
const REST = 30_000;

function post(draft: string, body: Fields | (Fields & { revision: number })): Promise<Response> {
  return fetch(`/emails/drafts/${draft}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
  });
}

/** Whether a refusal says that the server has these very words already. */
async function hasIt(response: Response): Promise<boolean> {
  const body: unknown = await response.json();
  return typeof body === "object" && body !== null && "same" in body && body.same === true;
}

/** Save a copy, unless somebody may still be writing on it; never over what came from elsewhere since. */
export async function recover(member: string, draft: string, sent = false): Promise<void> {
  const key = draftKey(member, draft);
  const copy = readCopy(localStorage, key);
  const young = copy !== null && Date.now() - copy.at < REST;
  if (!copy || (young && !sent)) return;
  let response = await post(draft, { ...copy.fields, revision: copy.revision } as Fields & { revision: number });
  if (response.status === 409) {
    if (await hasIt(response)) dropCopy(localStorage, key);
    else if (!young) {
      // Changed or sent from elsewhere since: the words become a draft of their own.
      response = await post(newDraftId(), copy.fields);
    }
  }
  if (!response.ok || response.redirected) return;
  dropCopy(localStorage, key);
  toast("A draft that had not been saved is in My Emails again.");
}

export function startRecovery(): void {
  const { member } = document.body.dataset;
  if (!member) return;
  const here = document.querySelector<HTMLFormElement>("form#compose")?.dataset["draft"];
  // The page of a sent email: the two have the same id, and the copy is usually what was sent.
  const sent = /^\/emails\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1];
  for (const draft of draftsWithCopy(localStorage, member)) {
    // Not reachable now: the copy stays for the next page.
    if (draft !== here) recover(member, draft, draft === sent).catch(() => undefined);
  }
}
