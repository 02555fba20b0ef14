// A place on the page whose words are read aloud and seen nowhere.

export function say(words: string): void {
  const place = document.querySelector<HTMLElement>("[data-aloud]");
  if (place) place.textContent = words;
}
