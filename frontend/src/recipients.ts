// To, Cc and Bcc together: they are checked by the server in one request, nobody stands in two of them, and a line
// below says how many there are and what is wrong.
import { csrfToken } from "./csrf.ts";
import { PeopleField, type Person } from "./people.ts";

const URL = "/emails/recipients";
const AGAIN = 3_000;
// Wrong ones that are told at a time.
const TOLD = 3;

interface Asked {
  field: PeopleField;
  text: string;
}

class NoAnswer extends Error {}

async function answerTo(texts: string[]): Promise<Person[][]> {
  const response = await fetch(URL, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ texts }),
  });
  const answer: unknown = await response.json();
  const body = (typeof answer === "object" && answer !== null ? answer : {}) as { people?: Person[][]; sentence?: string };
  if (response.ok && body.people) return body.people;
  if (response.status !== 400) throw new NoAnswer();
  const problem = body.sentence ?? "It cannot be read.";
  return texts.map((text) => [{ text, address: "", name: "", problem }]);
}

function count(number: number): string {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? "person" : "people"}`;
}

export class Recipients {
  readonly fields: PeopleField[];
  private readonly form: HTMLFormElement;
  private readonly changed: () => void;
  private asked: Asked[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dropped: string[] = [];
  private ready = false;

  constructor(form: HTMLFormElement, changed: () => void) {
    this.form = form;
    this.changed = changed;
    const boxes = [...form.querySelectorAll<HTMLElement>("[data-people]")];
    this.fields = boxes.map(
      (box) =>
        new PeopleField(box, {
          changed: (words) => {
            if (!this.ready) return;
            this.tell();
            if (words) this.changed();
          },
          ask: (field, text) => this.ask({ field, text }),
        }),
    );
    boxes.forEach((box, at) => this.fields[at]?.show(JSON.parse(box.dataset["known"] || "[]") as Person[]));
    this.ready = true;
    this.tell();
    form.querySelector("[name=connection]")?.addEventListener("change", () => this.tell());
    addEventListener("online", () => this.plan(0));
  }

  field(name: string): PeopleField | undefined {
    return this.fields.find((one) => one.name === name);
  }

  private ask(asked: Asked): void {
    this.asked.push(asked);
    this.plan(0);
  }

  private plan(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), delay);
  }

  private async send(): Promise<void> {
    const asked = this.asked.splice(0);
    if (asked.length === 0) return;
    try {
      const people = await answerTo(asked.map((one) => one.text));
      this.dropped = [];
      asked.forEach((one, at) => one.field.settle(one.text, people[at] ?? [], (person) => this.isNew(person)));
      this.tell();
      this.sayDropped();
    } catch {
      // Not reachable now: they stay as typed, the draft is kept, and the server splits it when it is saved.
      this.asked.unshift(...asked);
      this.plan(AGAIN);
    }
  }

  private isNew(person: Person): boolean {
    const key = (person.address || person.text).toLowerCase();
    const there = this.fields.find((field) =>
      field.people.some((one) => (one.address || one.text).toLowerCase() === key),
    );
    if (there && person.address) this.dropped.push(`${person.address} is in ${there.label} already and was left out.`);
    return !there;
  }

  private sayDropped(): void {
    const said = this.form.querySelector("#people-said");
    if (!said) return;
    const [first] = this.dropped;
    if (this.dropped.length > 1) said.textContent = `${this.dropped.length} who are there already were left out.`;
    else said.textContent = first ?? "";
  }

  /** Below the lines: how many, and what is wrong with whom. */
  private tell(): void {
    const status = this.form.querySelector<HTMLElement>("#people-status");
    const line = status?.querySelector<HTMLElement>("[data-count]");
    const list = status?.querySelector("[data-problems]");
    if (!status || !line || !list) return;
    const wrong = this.fields.flatMap((field) => field.people.filter((one) => one.problem));
    const good = this.fields.reduce((sum, field) => sum + field.people.filter((one) => !one.problem).length, 0);
    const most = this.most();
    line.textContent = good > most ? `${count(good)}; ${most.toLocaleString("en-GB")} is the most` : count(good);
    line.hidden = good < 2;
    line.classList.toggle("is-bad", good > most);
    const told = wrong.slice(0, TOLD).map((person) => {
      const item = document.createElement("li");
      const correct = document.createElement("button");
      correct.type = "button";
      correct.className = "link-button";
      correct.textContent = "Correct it";
      correct.addEventListener("click", () => this.correct(person.text));
      item.append(`${person.problem} `, correct);
      return item;
    });
    if (wrong.length > TOLD) {
      const more = document.createElement("li");
      more.textContent = `And ${wrong.length - TOLD} more that cannot be used.`;
      told.push(more);
    }
    // A button that is being pressed must not be exchanged under the pointer.
    if (list.textContent !== told.map((item) => item.textContent).join("")) list.replaceChildren(...told);
    status.hidden = good < 2 && wrong.length === 0;
  }

  private correct(text: string): void {
    const meant = (one: Person): boolean => one.problem !== "" && one.text === text;
    this.fields.find((field) => field.people.some(meant))?.correct(meant);
  }

  private most(): number {
    const chosen = this.form.querySelector<HTMLSelectElement>("select[name=connection]")?.selectedOptions[0];
    return Number(chosen?.dataset["most"] ?? this.form.dataset["mostPeople"]) || Infinity;
  }
}
