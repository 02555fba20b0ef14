"""Domains of Microsoft's own mailboxes for people: outlook.com and what it was called before, in many countries."""

from __future__ import annotations

_ENDINGS = {
    "outlook": "com at be cl co.il co.nz co.th com.ar com.au com.br com.gr com.pe com.tr com.vn cz de dk es fr hu id ie"
    " in it jp kr lv my ph pt sa sg sk",
    "hotmail": "com be ca ch co.jp co.nz co.th co.uk com.ar com.au com.br com.mx com.tr de dk es fi fr gr it nl no se",
    "live": "com at be ca ch cl cn co.kr co.uk co.za com.ar com.au com.mx com.pt com.sg de dk fi fr ie in it jp nl no"
    " ru se",
    "msn": "com",
    "passport": "com",
    "windowslive": "com",
}
PERSONAL = frozenset(f"{name}.{ending}" for name, endings in _ENDINGS.items() for ending in endings.split())
