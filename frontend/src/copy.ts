// Buttons that copy a text that stands on the page (`data-copy`: its id). Without scripts there are none to see.
import { say } from "./said.ts";

const STAY = 2_000;

async function copy(button: HTMLButtonElement, source: HTMLElement): Promise<void> {
  const text = source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers give the clipboard to pages by https or of this machine only: the text is marked, to be copied by hand.
    getSelection()?.selectAllChildren(source);
    say("Marked: copy it with the keyboard");
    return;
  }
  const rest = (button.dataset["restWords"] ??= button.textContent);
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => {
    button.textContent = rest;
  }, STAY);
}

export function startCopy(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    const source = document.getElementById(button.dataset["copy"] ?? "");
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(button, source));
  }
}
