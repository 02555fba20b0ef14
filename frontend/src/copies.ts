// Below the people: one shared email or separate copies, and the list of people for these. The server reads the list and
// says what of it can be used; a list that cannot be read leaves the one before.
import { csrfToken } from "./csrf.ts";

const MOST_BYTES = 5 * 1024 * 1024;

export class Copies {
  private readonly choice: HTMLSelectElement;
  private readonly box: HTMLElement;
  private readonly url: string;
  private readonly saved: () => Promise<boolean>;
  private readonly changed: () => void;
  private busy = false;

  /** `saved` stores the draft as it stands; `changed` is told when the list is another one. */
  constructor(form: HTMLFormElement, url: string, saved: () => Promise<boolean>, changed: () => void) {
    const choice = form.querySelector<HTMLSelectElement>("#separate_copies");
    const box = form.querySelector<HTMLElement>("#copies-about");
    if (!choice || !box) throw new Error("the page has no choice of copies");
    this.choice = choice;
    this.box = box;
    this.url = url;
    this.saved = saved;
    this.changed = changed;
    choice.addEventListener("change", () => this.show());
    box.addEventListener("click", (event) => this.press(event));
    box.addEventListener("keydown", (event) => {
      // Enter in the pasted list is a line of it.
      if (event.target instanceof HTMLTextAreaElement) event.stopPropagation();
    });
    this.show();
  }

  /** Ask the server again: rows are held against what is written. */
  refresh(): void {
    if (this.box.querySelector("#people-paste:not([hidden])")) return;
    document.querySelector("#people-list")?.dispatchEvent(new CustomEvent("live"));
  }

  /** Show what the choice means. */
  show(): void {
    for (const one of this.box.querySelectorAll<HTMLElement>("[data-copies-about]")) {
      one.hidden = one.dataset["copiesAbout"] !== this.choice.value;
    }
  }

  private say(text: string): void {
    const note = this.box.querySelector<HTMLElement>("#people-problem");
    const line = note?.querySelector("p");
    if (!note || !line) return;
    note.hidden = text === "";
    line.textContent = text;
  }

  private press(event: MouseEvent): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button") : null;
    const act = button?.dataset["peopleAct"];
    if (button?.dataset["field"]) {
      document.dispatchEvent(new CustomEvent("truesend:field", { detail: button.dataset["field"] }));
    } else if (act === "file") this.choose();
    else if (act === "paste") this.paste();
    else if (act === "use") void this.use();
    else if (act === "remove") void this.post("/remove");
    else if (act === "leave-out") void this.post("/leave-out", new URLSearchParams({ leave: button?.dataset["leave"] ?? "1" }));
  }

  private choose(): void {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".csv,.tsv,.txt,text/csv,text/plain";
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.upload(file);
    });
    input.click();
  }

  private paste(): void {
    const panel = this.box.querySelector<HTMLElement>("#people-paste");
    if (!panel) return;
    panel.hidden = !panel.hidden;
    panel.querySelector("textarea")?.focus();
  }

  private async use(): Promise<void> {
    const text = this.box.querySelector<HTMLTextAreaElement>("#people-text")?.value ?? "";
    await this.post("/upload", new Blob([text], { type: "text/plain" }));
  }

  private async upload(file: File): Promise<void> {
    if (file.size > MOST_BYTES) {
      this.say(`“${file.name}” is larger than 5 MB. Split it.`);
      return;
    }
    await this.post("/upload", file, { "X-File-Name": encodeURIComponent(file.name) });
  }

  private async post(path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      // The choice of copies has to stand where rows are judged.
      if (!(await this.saved())) {
        this.say("Your last changes are not saved yet, and the list was not taken. Try again in a moment.");
        return;
      }
      const response = await fetch(this.url + path, {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": csrfToken(), Accept: "application/json", ...headers },
        ...(body === undefined ? {} : { body }),
      });
      if (response.redirected) this.say("You are signed out. Sign in again in another tab; nothing here is lost.");
      else if (response.status === 422 || response.status === 409) this.say(((await response.json()) as { sentence: string }).sentence);
      else if (!response.ok) this.say("The list could not be taken. Try again in a moment.");
      else {
        this.say("");
        const panel = this.box.querySelector<HTMLElement>("#people-paste");
        if (panel) panel.hidden = true;
        this.refresh();
        this.changed();
      }
    } catch {
      this.say("There is no connection to the server. Try again in a moment.");
    } finally {
      this.busy = false;
    }
  }
}
