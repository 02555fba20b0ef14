// Somebody changed what this member may do, or took them out of the team: the page shows what was true before. It is
// loaded anew at once, unless somebody is writing in it; then it says so, and its live parts look for themselves.
const CHANGED = "What you may do here has changed.";

function isChanged(field: Element): boolean {
  if (field instanceof HTMLInputElement) {
    return ["checkbox", "radio"].includes(field.type)
      ? field.checked !== field.defaultChecked
      : field.type !== "hidden" && field.value !== field.defaultValue;
  }
  if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
  if (field instanceof HTMLSelectElement) {
    return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
  }
  return false;
}

/** Whether loading the page anew would lose what somebody has typed, or where they are in it. */
function isWrittenIn(): boolean {
  if (document.querySelector("form#compose")) return true;
  return [...document.querySelectorAll("input, textarea, select")].some(isChanged);
}

function say(): void {
  const note = document.querySelector<HTMLElement>("#mine-note");
  if (!note) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link-button";
  button.textContent = "Load the page anew";
  button.addEventListener("click", () => location.reload());
  note.replaceChildren(`${CHANGED} `, button);
  note.hidden = false;
}

export function startMine(member: string, refresh: () => void): void {
  document.body.addEventListener("truesend:account", (event) => {
    if ((event as CustomEvent<{ id: string | null }>).detail?.id !== member) return;
    if (!isWrittenIn()) {
      location.reload();
      return;
    }
    say();
    refresh();
  });
}
