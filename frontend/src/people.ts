// A line of recipients: what is entered becomes a list of people, each checked by the server. Here is only known when
// somebody has finished entering; who can be written to, and where one ends and the next begins, the server says.

export interface Person {
  /** As typed; what is stored. */
  text: string;
  address: string;
  name: string;
  /** Why nobody can be written to at it, in a sentence; empty: one can. */
  problem: string;
}

interface Chip {
  person: Person;
  waiting: boolean;
  item: HTMLLIElement;
}

export interface PeopleOptions {
  /** What is shown changed; `words`: what is to be stored did, too. */
  changed: (words: boolean) => void;
  /** Ask who `text` is; `chip` waits in its place. */
  ask: (field: PeopleField, text: string) => void;
}

const LIST = /[\n\r\t,;]/;

/** Whether a comma or semicolon typed last ends an entry: not inside quotes, brackets or “Moreau, Ines <…>”. */
export function isFinished(text: string): boolean {
  const body = text.slice(0, -1);
  if (!/[,;]$/.test(text) || !body.trim()) return false;
  if (text.endsWith(";")) return true;
  const quotes = body.replaceAll(/\\./g, "").split('"').length - 1;
  return quotes % 2 === 0 && body.includes("@") && body.lastIndexOf("<") <= body.lastIndexOf(">");
}

function button(className: string, label: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.tabIndex = -1;
  made.setAttribute("aria-label", label);
  return made;
}

export class PeopleField {
  readonly name: string;
  readonly label: string;
  readonly input: HTMLInputElement;
  private readonly hint: string;
  private readonly list: HTMLUListElement;
  private readonly stored: HTMLInputElement;
  private readonly options: PeopleOptions;
  private readonly chips: Chip[] = [];
  // Where the entry in the text field stood before somebody began to correct it.
  private place: number | null = null;
  private before = "";

  constructor(box: HTMLElement, options: PeopleOptions) {
    const input = box.querySelector("input");
    const list = box.querySelector("ul");
    if (!input || !list) throw new Error("a line of recipients without its parts");
    this.name = box.dataset["people"] ?? "";
    this.label = box.dataset["label"] ?? this.name;
    this.input = input;
    this.hint = input.placeholder;
    this.list = list;
    this.options = options;
    this.stored = document.createElement("input");
    this.stored.type = "hidden";
    this.stored.name = this.name;
    input.removeAttribute("name");
    input.value = "";
    box.append(this.stored);
    box.addEventListener("click", (event) => {
      if (event.target === box || event.target === list) input.focus();
    });
    this.listen();
  }

  get people(): readonly Person[] {
    return this.chips.filter((chip) => !chip.waiting).map((chip) => chip.person);
  }

  get isEmpty(): boolean {
    return this.chips.length === 0 && !this.input.value.trim();
  }

  /** All that was entered, one person a line, also what is not checked yet or still being typed. */
  value(): string {
    const texts = this.chips.map((chip) => chip.person.text);
    const typed = this.input.value.trim();
    if (typed) texts.splice(this.place ?? texts.length, 0, typed);
    return texts.join("\n");
  }

  /** Start anew from checked people. */
  show(people: Person[]): void {
    for (const chip of this.chips.splice(0)) chip.item.remove();
    this.list.append(...people.map((person, at) => this.insert(person, at, false).item));
    this.written();
  }

  /** Start anew from text. */
  read(text: string): void {
    this.show([]);
    this.input.value = "";
    this.place = null;
    if (text.trim()) this.wait(text);
  }

  /** What stands in the text field is finished. */
  commit(): void {
    const text = this.input.value.replace(/[\s,;]+$/, "").trim();
    this.input.value = "";
    if (text) this.wait(text);
    this.place = null;
    this.before = "";
    if (this.stored.value !== this.value()) this.written();
  }

  /** The server's answer for a text that waited: its people, of whom `isNew` lets the new ones in. */
  settle(text: string, people: Person[], isNew: (person: Person) => boolean): void {
    const at = this.chips.findIndex((chip) => chip.waiting && chip.person.text === text);
    if (at < 0) return;
    const [waited] = this.chips.splice(at, 1);
    const hadFocus = waited?.item.contains(document.activeElement);
    const fragment = document.createDocumentFragment();
    let next = at;
    for (const person of people) {
      if (!isNew(person)) continue;
      fragment.append(this.insert(person, next, false).item);
      next += 1;
    }
    waited?.item.replaceWith(fragment);
    if (hadFocus) this.focus(at);
    this.written();
    // A long list shows where writing goes on.
    if (document.activeElement === this.input) this.input.scrollIntoView({ block: "nearest" });
  }

  /** The texts that wait for an answer. */
  waiting(): string[] {
    return this.chips.filter((chip) => chip.waiting).map((chip) => chip.person.text);
  }

  /** Begin to correct the first person of whom this holds. */
  correct(wanted: (person: Person) => boolean): void {
    const at = this.chips.findIndex((chip) => !chip.waiting && wanted(chip.person));
    if (at >= 0) this.edit(at);
  }

  private wait(text: string): void {
    const at = this.place ?? this.chips.length;
    const chip = this.insert({ text, address: "", name: "", problem: "" }, at, true);
    this.list.insertBefore(chip.item, this.list.children[at] ?? null);
    this.written();
    this.options.ask(this, text);
  }

  private insert(person: Person, at: number, waiting: boolean): Chip {
    const item = document.createElement("li");
    item.className = "chip-item";
    item.dataset["state"] = waiting ? "waiting" : person.problem ? "wrong" : "ok";
    const shown = person.name || person.address || person.text;
    let said = person.name && person.address ? `${person.name}, ${person.address}` : shown;
    if (person.problem) said = `Wrong: ${person.problem} Press Enter to correct it`;
    else if (waiting) said = `${shown}, being checked`;
    const chip = button("chip", said);
    chip.textContent = shown;
    chip.title = person.problem || person.address || person.text;
    const remove = button("chip-remove", `Remove ${shown}`);
    remove.textContent = "×";
    item.append(chip, remove);
    const made = { person, waiting, item };
    this.chips.splice(at, 0, made);
    return made;
  }

  private written(): void {
    this.list.hidden = this.chips.length === 0;
    this.input.classList.toggle("has-chips", this.chips.length > 0);
    this.input.placeholder = this.chips.length > 0 ? "" : this.hint;
    const wrong = this.chips.some((chip) => chip.person.problem);
    if (wrong) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    const value = this.value();
    const told = value === this.stored.value;
    this.stored.value = value;
    this.options.changed(!told);
  }

  private focus(at: number): void {
    const chip = this.chips[Math.max(0, at)];
    if (at < 0 || !chip) this.input.focus();
    else chip.item.querySelector("button")?.focus();
  }

  private drop(at: number): void {
    const [gone] = this.chips.splice(at, 1);
    gone?.item.remove();
    this.written();
  }

  private edit(at: number): void {
    this.commit();
    const chip = this.chips[at];
    if (!chip) return;
    this.drop(at);
    this.place = at;
    this.before = chip.person.text;
    this.input.value = chip.person.text;
    this.input.focus();
    this.input.select();
    this.written();
  }

  private listen(): void {
    this.input.addEventListener("input", () => {
      if (isFinished(this.input.value)) this.commit();
      else this.written();
    });
    this.input.addEventListener("blur", () => this.commit());
    this.input.addEventListener("keydown", (event) => this.typed(event));
    this.input.addEventListener("paste", (event) => this.pasted(event));
    this.list.addEventListener("keydown", (event) => this.moved(event));
    this.list.addEventListener("dblclick", (event) => this.withChip(event, (at) => this.edit(at)));
    this.list.addEventListener("click", (event) => {
      const remove = event.target instanceof Element && event.target.closest(".chip-remove");
      this.withChip(event, (at, chip) => {
        if (remove) {
          this.drop(at);
          this.input.focus();
        } else if (chip.person.problem) this.edit(at);
      });
    });
  }

  private withChip(event: Event, act: (at: number, chip: Chip) => void): void {
    const item = event.target instanceof Element ? event.target.closest("li") : null;
    const at = this.chips.findIndex((chip) => chip.item === item);
    const chip = this.chips[at];
    if (chip) act(at, chip);
  }

  private typed(event: KeyboardEvent): void {
    const atStart = this.input.selectionStart === 0 && this.input.selectionEnd === 0;
    if (event.key === "Enter" && !event.isComposing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.commit();
    } else if (event.key === "Escape" && this.place !== null) {
      event.preventDefault();
      this.input.value = this.before;
      this.commit();
    } else if (atStart && this.chips.length > 0 && ["Backspace", "ArrowLeft", "Home"].includes(event.key)) {
      event.preventDefault();
      this.focus(event.key === "Home" ? 0 : this.chips.length - 1);
    }
  }

  private pasted(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const one = text.includes("@") && !this.input.value.trim();
    if (!LIST.test(text.trim()) && !one) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = this.input;
    this.input.value = "";
    const whole = value.slice(0, selectionStart ?? value.length) + text + value.slice(selectionEnd ?? value.length);
    if (whole.trim()) this.wait(whole.trim());
    this.place = null;
    this.written();
  }

  private moved(event: KeyboardEvent): void {
    this.withChip(event, (at) => {
      const steps: Record<string, () => void> = {
        ArrowLeft: () => this.focus(Math.max(0, at - 1)),
        ArrowRight: () => this.focus(at + 1 < this.chips.length ? at + 1 : -1),
        Home: () => this.focus(0),
        End: () => this.focus(-1),
        Escape: () => this.focus(-1),
        Enter: () => this.edit(at),
        F2: () => this.edit(at),
        Delete: () => this.removeAt(at, at),
        Backspace: () => this.removeAt(at, at - 1),
      };
      const step = event.ctrlKey || event.metaKey ? undefined : steps[event.key];
      if (step) {
        event.preventDefault();
        step();
      } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " ") this.input.focus();
    });
  }

  private removeAt(at: number, then: number): void {
    this.drop(at);
    this.focus(then < this.chips.length ? Math.max(then, this.chips.length > 0 ? 0 : -1) : -1);
  }
}
