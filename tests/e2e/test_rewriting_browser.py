"""What Chromium makes of odd HTML, before and after it was rewritten: the judge of what is a link."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser
from tests.arrived import stripped
from tests.integration.test_rewriting import PIECES

from truesend.tracking.rewrite import rewrite

PAGES, SEED = 5_000, 4
PIXEL = "https://track.example/t/o/x.gif"
# Ends of tags and elements in every order; SVG and MathML, whose content has rules of its own, only where PIECES do.
_TAGS = (
    "<table> <tr> <tbody> <p> <b> <i> </b> </i> <option> </select> <noscript> </noscript> <xmp> </xmp> <iframe> "
    "</iframe> <plaintext> <noembed> </noembed> <form> <button> <nobr> <object> </object> </style> <a "
    "href=https://z.example <caption> <col> <script> <ruby> <rt> x<y <!---> <!--> --!> <! <? </ < > / = \" '"
)
_MORE = [*_TAGS.split(), " ", "<script><!--", "</script >"]
# A NUL becomes another character, a template that never ends shows nothing at all.
_PIECES = [one for one in PIECES if "svg" not in one and one not in {"\x00", "<template>"}]
_LOOK = """pages => pages.map(html => {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const links = [...page.querySelectorAll('a[href], area[href]')].map(one => one.getAttribute('href'));
  return [links, [...page.images].map(one => one.getAttribute('src'))];
})"""


def odd_page(chance: random.Random) -> str:
    """Pieces of HTML in an order that nobody would write."""
    parts = []
    for _ in range(chance.randrange(1, 14)):
        kind = chance.random()
        if kind < 0.5:
            parts.append(chance.choice(_PIECES))
        elif kind < 0.85:
            parts.append(chance.choice(_MORE))
        else:
            parts.append("".join(chance.choices("ab <>&;\"'=/!-\n", k=chance.randrange(1, 5))))
    return "".join(parts)


def _tracked(number: int, target: str) -> str:
    return f"https://track.example/t/c/{quote(target, safe='')}"


@pytest.mark.browser
def test_a_browser_finds_the_same_links_and_the_pixel(chromium: Browser) -> None:
    chance = random.Random(SEED)
    pages = [odd_page(chance) for _ in range(PAGES)]
    results = [rewrite(html, click_url=_tracked, pixel_url=PIXEL) for html in pages]
    tab = chromium.new_page()
    before = tab.evaluate(_LOOK, pages)
    after = tab.evaluate(_LOOK, [result.html for result in results])
    tab.close()
    followed = 0
    for html, result, (links, _), (now, pictures) in zip(pages, results, before, after, strict=True):
        becomes = {link.target: link.url for link in result.links}
        targets = {stripped(link) for link in links}
        assert targets <= set(becomes), f"missed in {html!r}"
        # As sets: what a browser repeats, it repeats again for the pixel.
        assert {becomes[target] for target in targets} == {stripped(link) for link in now}, html
        assert pictures.count(PIXEL) == 1, f"no pixel in {html!r}"
        followed += len(targets)
    assert followed > PAGES // 2
    print(f"{PAGES} pages with {followed} links, seed {SEED}")
