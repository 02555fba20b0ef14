// The other addresses of an account, asked of its provider while somebody writes: the page does not wait for them.

interface Option {
  value: string;
  label: string;
}

async function ask(option: HTMLOptionElement, url: string): Promise<void> {
  const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (response.redirected || !response.ok) return;
  const { senders } = (await response.json()) as { senders: Option[] };
  const select = option.parentElement;
  if (!(select instanceof HTMLSelectElement)) return;
  const known = new Set([...select.options].map((one) => one.value));
  let last: Element = option;
  for (const one of senders) {
    const there = [...select.options].find((other) => other.value === one.value);
    if (there) last = there;
    if (known.has(one.value)) continue;
    const added = document.createElement("option");
    added.value = one.value;
    added.textContent = one.label;
    Object.assign(added.dataset, { most: option.dataset["most"] ?? "", signature: option.dataset["signature"] ?? "" });
    last.after(added);
    last = added;
  }
}

export function startSenders(account: HTMLSelectElement): void {
  for (const option of account.options) {
    const url = option.dataset["senders"];
    // What cannot be asked now is asked the next time.
    if (url) ask(option, url).catch(() => undefined);
  }
}
