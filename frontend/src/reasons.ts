// A file that is not attached is a reason not to send that only this page knows: it is told above the server's gates.
import type { Failure, Uploads } from "./uploads.ts";

export class Reasons {
  private readonly card: HTMLElement;
  private readonly list: HTMLUListElement;
  private readonly title: HTMLElement;
  private readonly template: HTMLTemplateElement;
  private readonly uploads: () => Uploads;

  constructor(card: HTMLElement, uploads: () => Uploads) {
    const list = card.querySelector<HTMLUListElement>("ul");
    const title = card.querySelector<HTMLElement>("h2");
    const template = card.querySelector<HTMLTemplateElement>("template");
    if (!list || !title || !template) throw new Error("a page without its list of reasons");
    [this.card, this.list, this.title, this.template] = [card, list, title, template];
    this.uploads = uploads;
    // The server's own words came; they know of no file that never reached it.
    document.addEventListener("htmx:after:swap", () => this.head());
  }

  /** Whether a file stands in the way. */
  get any(): boolean {
    return this.uploads().failures.length > 0;
  }

  show(): void {
    const { failures } = this.uploads();
    const held = this.list.contains(document.activeElement);
    this.list.replaceChildren(...failures.map((one) => this.line(one)));
    this.title.textContent = failures.length === 1 ? "A file is not attached" : `${failures.length} files are not attached`;
    this.card.hidden = failures.length === 0;
    this.head();
    // The button that was pressed is gone.
    if (held && document.activeElement === document.body) this.target()?.focus();
  }

  /** Lead to the first file that stands in the way. */
  lead(): void {
    const first = this.list.querySelector<HTMLElement>("li");
    first?.scrollIntoView({ block: "center" });
    first?.focus();
  }

  private target(): HTMLElement | null {
    return this.list.querySelector<HTMLElement>("button:not([hidden])") ?? document.querySelector<HTMLElement>("#attach-button");
  }

  private line(failure: Failure): Node {
    const item = this.template.content.querySelector("li")?.cloneNode(true);
    if (!(item instanceof HTMLLIElement)) throw new Error("a page without the pattern of a reason");
    const words = item.querySelector("p");
    if (words) words.textContent = `“${failure.name}”: ${failure.words}`;
    const press = (selector: string, label: string, action: (() => void) | null): void => {
      const button = item.querySelector<HTMLButtonElement>(selector);
      if (!button) return;
      button.hidden = action === null;
      button.setAttribute("aria-label", label);
      if (action) button.addEventListener("click", action);
    };
    press("[data-again]", `Try again to attach ${failure.name}`, failure.again);
    press("[data-drop]", `Remove ${failure.name} from the email`, failure.remove);
    return item;
  }

  /** The title of the server's gates, which must not say that all is ready. */
  private head(): void {
    const gates = document.querySelector<HTMLElement>("#gates");
    const title = gates?.querySelector<HTMLElement>("h2");
    if (!gates || !title || gates.dataset["ready"] !== "true") return;
    const words = this.any ? "Everything else is ready" : "Ready to send";
    if (title.textContent !== words) title.textContent = words;
  }
}
