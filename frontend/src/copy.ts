// Buttons that copy a text of the page: of the element in `data-copy`, or `data-copy-text`. Without scripts none is seen.
import { say } from "./said.ts";

const STAY = 2_000;

// Browsers give the clipboard to pages by https or of this machine only; the old way works everywhere.
function copyTheOldWay(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text);
  }
}

async function press(button: HTMLButtonElement, text: string): Promise<void> {
  const rest = (button.dataset["restWords"] ??= button.textContent);
  const done = await copied(text);
  button.focus();
  button.textContent = done ? "Copied" : "Mark it and copy it by hand";
  say(button.textContent);
  setTimeout(() => {
    button.textContent = rest;
  }, STAY);
}

export function startCopy(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy], [data-copy-text]")) {
    const text = button.dataset["copyText"] ?? document.getElementById(button.dataset["copy"] ?? "")?.textContent;
    if (!text) continue;
    button.hidden = false;
    button.addEventListener("click", () => void press(button, text));
  }
}
