// Emergency copies whose page is gone: a tab was closed while the server could not be reached. They are saved from
// whatever page of the same member opens next.
import { csrfToken } from "./csrf.ts";
import { dropCopy, draftKey, draftsWithCopy, markOf, newDraftId, readCopy, type Copy, type Fields } from "./emergency.ts";
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

interface Refusal {
  /** The server has these very words already. */
  same: boolean;
  /** The revision that the copy's own page made, whose answer it never heard. */
  own: number | null;
}

async function refusalOf(response: Response, copy: Copy): Promise<Refusal> {
  const body = (await response.json()) as { same?: unknown; stored?: unknown; revision?: unknown };
  const stored = typeof body.stored === "object" && body.stored !== null ? (body.stored as Fields) : null;
  const own = stored !== null && typeof body.revision === "number" && copy.marks.includes(markOf(stored));
  return { same: body.same === true, own: own ? (body.revision as number) : null };
}

/** Save a copy, unless somebody may still be writing on it; never over what came from elsewhere since. */
export async function recover(member: string, draft: string, sent = false): Promise<void> {
  const key = draftKey(member, draft);
  const copy = readCopy(localStorage, key);
  const young = copy !== null && Date.now() - copy.at < REST;
  if (!copy || (young && !sent)) return;
  let response = await post(draft, { ...copy.fields, revision: copy.revision } as Fields & { revision: number });
  if (response.status === 409) {
    const { same, own } = await refusalOf(response, copy);
    if (same) dropCopy(localStorage, key);
    else if (own !== null) response = await post(draft, { ...copy.fields, revision: own } as Fields & { revision: number });
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
