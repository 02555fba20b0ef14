// “Tell me when somebody opens or clicks”: notifications of the browser, asked for by a person's press alone and
// remembered for this member in this browser.

const UNABLE = "This browser cannot show notifications from this address.";
const DENIED =
  "Your browser blocks notifications from this address. Allow them by the sign before the address, then switch this on.";
const ASKING = "Your browser asks you whether it may.";
const ON = "On in this browser, while no page of Truesend is in view.";

/** Who is signed in here; empty where nobody is. */
export function memberHere(): string {
  return document.body.dataset["member"] ?? "";
}

function key(): string {
  return `truesend-notify:${memberHere()}`;
}

function able(): boolean {
  return "Notification" in window && isSecureContext;
}

function stored(): boolean {
  try {
    return localStorage.getItem(key()) === "on";
  } catch {
    return false;
  }
}

function store(on: boolean): void {
  try {
    if (on) localStorage.setItem(key(), "on");
    else localStorage.removeItem(key());
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

/** Whether this member wants notifications here and the browser lets us. */
export function wantsNotifications(): boolean {
  return able() && Notification.permission === "granted" && stored();
}

function say(box: HTMLElement, text: string): void {
  const line = box.querySelector<HTMLElement>("[data-notify-said]");
  if (line && line.textContent !== text) line.textContent = text;
}

function show(box: HTMLElement, choice: HTMLInputElement): void {
  choice.checked = wantsNotifications();
  choice.disabled = !able();
  if (!able()) say(box, UNABLE);
  else if (choice.checked) say(box, ON);
  else say(box, Notification.permission === "denied" && stored() ? DENIED : "");
}

async function choose(box: HTMLElement, choice: HTMLInputElement): Promise<void> {
  store(choice.checked);
  if (choice.checked && Notification.permission !== "granted") {
    say(box, ASKING);
    const answer = await Notification.requestPermission();
    show(box, choice);
    if (answer === "denied") say(box, DENIED);
    if (answer !== "granted") store(false);
    return;
  }
  show(box, choice);
}

export function startNotify(): void {
  for (const box of document.querySelectorAll<HTMLElement>("[data-notify]")) {
    const choice = box.querySelector<HTMLInputElement>("input[role=switch]");
    if (!choice) continue;
    box.hidden = false;
    show(box, choice);
    choice.addEventListener("change", () => {
      choose(box, choice).catch(() => undefined);
    });
    addEventListener("storage", (event) => {
      if (event.key === key()) show(box, choice);
    });
  }
}
