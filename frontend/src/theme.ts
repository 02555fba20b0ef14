// The theme: the system's unless a person chose one. The choice is a cookie, so that the server writes it into the
// page and nothing flashes.

const CHOICES = ["system", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

function isChoice(value: string): value is Choice {
  return (CHOICES as readonly string[]).includes(value);
}

function apply(choice: Choice): void {
  if (choice === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset["theme"] = choice;
  const age = choice === "system" ? 0 : 31_536_000;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // oxlint-disable-next-line unicorn/no-document-cookie -- the Cookie Store API is not in every browser
  document.cookie = `theme=${choice}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}

export function startTheme(): void {
  const chosen = document.documentElement.dataset["theme"] ?? "system";
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-theme-choice]")) {
    input.checked = input.value === chosen;
    input.addEventListener("change", () => {
      if (input.checked && isChoice(input.value)) apply(input.value);
    });
  }
  for (const part of document.querySelectorAll<HTMLElement>("[data-needs-script]")) part.hidden = false;
}
