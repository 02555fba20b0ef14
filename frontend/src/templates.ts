// Templates in Compose: a dialog with a search, opened by its button or by “/” on an empty line.
import type { MailEditor } from "./editor.ts";

interface Choice {
  id: string;
  name: string;
  kind: string;
  shared: boolean;
  subject: string;
  html: string;
  words: string;
}

const PAUSE = 150;

export class Templates {
  private readonly dialog: HTMLDialogElement;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly said: HTMLElement;
  private readonly editor: MailEditor;
  private readonly subject: HTMLInputElement | null;
  private items: Choice[] = [];
  private chosen = 0;
  private asked = 0;
  private bySlash = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(dialog: HTMLDialogElement, editor: MailEditor, subject: HTMLInputElement | null) {
    const input = dialog.querySelector<HTMLInputElement>("input[type=search]");
    const list = dialog.querySelector<HTMLElement>("[role=listbox]");
    const said = dialog.querySelector<HTMLElement>("[data-said]");
    if (!input || !list || !said) throw new Error("a dialog without its list of templates");
    [this.dialog, this.input, this.list, this.said, this.editor, this.subject] = [dialog, input, list, said, editor, subject];
    input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.ask(), PAUSE);
    });
    dialog.addEventListener("keydown", (event) => this.pressed(event));
    dialog.querySelector("[data-close]")?.addEventListener("click", () => this.cancel());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.cancel();
    });
    list.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
      if (row) this.take(Number(row.dataset["index"]));
    });
  }

  open(bySlash = false): void {
    this.bySlash = bySlash;
    this.input.value = "";
    this.show([], "Looking …");
    this.dialog.showModal();
    this.input.focus();
    void this.ask();
  }

  private cancel(): void {
    this.dialog.close();
    // Who meant the sign itself gets it.
    if (this.bySlash && this.input.value === "") this.editor.insertText("/");
    this.editor.focus();
  }

  private async ask(): Promise<void> {
    const turn = (this.asked += 1);
    try {
      const response = await fetch(`/templates/choices?q=${encodeURIComponent(this.input.value)}`, {
        credentials: "same-origin",
        headers: { Accept: "application/json" },
      });
      if (turn !== this.asked) return;
      if (response.redirected || !response.ok) throw new Error("no list");
      const { items } = (await response.json()) as { items: Choice[] };
      const none = this.input.value ? "No template has these words." : "There are no templates yet. Keep this draft as one, or write one under Templates.";
      this.show(items, items.length > 0 ? "" : none);
    } catch {
      if (turn === this.asked) this.show([], "The templates could not be read. Try again in a moment.");
    }
  }

  private show(items: Choice[], words: string): void {
    this.items = items;
    this.said.textContent = words;
    this.said.hidden = words === "";
    this.list.replaceChildren(
      ...items.map((one, index) => {
        const row = document.createElement("li");
        row.setAttribute("role", "option");
        row.id = `template-${index}`;
        row.dataset["index"] = String(index);
        const name = document.createElement("b");
        name.textContent = one.name;
        const kind = document.createElement("span");
        kind.className = "soft small";
        kind.textContent = [one.kind === "snippet" ? "Snippet" : "Template", one.shared ? "shared" : ""].filter(Boolean).join(" · ");
        const text = document.createElement("p");
        text.className = "soft small";
        text.textContent = [one.subject, one.words].filter(Boolean).join(" · ");
        row.append(name, " ", kind, text);
        return row;
      }),
    );
    this.choose(0);
  }

  private choose(index: number): void {
    this.chosen = Math.max(0, Math.min(index, this.items.length - 1));
    for (const row of this.list.children) {
      const is = Number((row as HTMLElement).dataset["index"]) === this.chosen;
      row.setAttribute("aria-selected", String(is));
      if (is) row.scrollIntoView({ block: "nearest" });
    }
    if (this.items.length > 0) this.input.setAttribute("aria-activedescendant", `template-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private pressed(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.choose(this.chosen + step);
    } else if (event.key === "Enter" && event.target === this.input) {
      event.preventDefault();
      this.take(this.chosen);
    }
  }

  private take(index: number): void {
    const found = this.items[index];
    if (!found) return;
    this.dialog.close();
    if (found.subject && this.subject && this.subject.value.trim() === "") {
      this.subject.value = found.subject;
      this.subject.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.editor.insert(found.html);
  }
}
