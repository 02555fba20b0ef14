"""What Chromium makes of odd HTML with marks at its links: the same page, and each link with its own number."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Browser
from tests.arrived import stripped
from tests.e2e.test_rewriting_browser import odd_page

from truesend.tracking.rewrite import rewrite
from truesend.web.marks import marked

pytestmark = pytest.mark.browser

PAGES, SEED = 3_000, 12
_LOOK = """pairs => pairs.map(([plain, marked]) => {
  const parse = html => new DOMParser().parseFromString(html, 'text/html');
  const before = parse(plain), after = parse(marked);
  const links = [...after.querySelectorAll('a[href], area[href]')]
    .map(one => [one.getAttribute('data-truesend-link'), one.getAttribute('href')]);
  for (const one of after.querySelectorAll('*')) {
    one.removeAttribute('data-truesend-link');
    one.removeAttribute('data-truesend-clicks');
  }
  return [before.documentElement.outerHTML === after.documentElement.outerHTML, links];
})"""


def test_marks_change_nothing_but_the_links(chromium: Browser) -> None:
    chance = random.Random(SEED)
    pages = [odd_page(chance) for _ in range(PAGES)]
    clicks = dict.fromkeys(range(0, 40, 2), 3)
    tab = chromium.new_page()
    looks = tab.evaluate(_LOOK, [[html, marked(html, clicks)] for html in pages])
    tab.close()
    found = 0
    for html, (same, links) in zip(pages, looks, strict=True):
        assert same, f"another page: {html!r}"
        targets = [link.target for link in rewrite(html, click_url=None, pixel_url=None).links]
        for number, href in links:
            assert number is not None, f"a link without a number in {html!r}"
            assert targets[int(number)] == stripped(href), html
        found += len(links)
    assert found > PAGES // 2
    print(f"{PAGES} pages with {found} links, seed {SEED}")
