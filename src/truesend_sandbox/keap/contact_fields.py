"""What a contact may hold, and the two spellings of it: kept as v2 writes it, v1 is translated [SPEC]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truesend_sandbox.accounts import normal_address

Data = dict[str, Any]

TEXTS: Mapping[str, int] = {
    "given_name": 40,
    "family_name": 40,
    "middle_name": 100,
    "preferred_name": 100,
    "spouse_name": 100,
    "prefix": 255,
    "suffix": 255,
    "website": 100,
    "job_title": 255,
    "contact_type": 255,
    "anniversary_date": 40,
    "birth_date": 40,
    "preferred_locale": 40,
    "time_zone": 100,
    "referral_code": 255,
    "source_type": 40,
    "leadsource_id": 20,
    "owner_id": 20,
}
"""Plain fields and the most characters they hold."""

_ADDRESS = (
    "country",
    "line1",
    "line2",
    "locality",
    "region",
    "field",
    "country_code",
    "postal_code",
    "region_code",
)
PARTS: Mapping[str, tuple[str, ...]] = {
    "addresses": (*_ADDRESS, "zip_code", "zip_four"),
    "phone_numbers": ("extension", "field", "number", "number_e164", "type"),
    "fax_numbers": ("field", "number", "type"),
    "social_accounts": ("name", "type"),
    "custom_fields": ("id",),
}
"""Lists of a contact and the texts an item of each holds."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "addresses": ("BILLING", "SHIPPING", "OTHER"),
    "phone_numbers": ("PHONE1", "PHONE2", "PHONE3", "PHONE4", "PHONE5"),
    "fax_numbers": ("FAX1", "FAX2"),
}
_EMAIL_LENGTHS = {"EMAIL1": 75, "EMAIL2": 100, "EMAIL3": 100}
MASK = frozenset({*TEXTS, *PARTS, "company", "origin", "email_addresses", "notes", "utm_parameters"})
"""What `update_mask` may name."""

_V1_NAMES = {"anniversary": "anniversary_date", "birthday": "birth_date", "lead_source_id": "leadsource_id"}
_V1_NUMBERS = ("leadsource_id", "owner_id")
_NOT_IN_V1 = ("country", "region_code")
"""Of an address."""


def _emails(items: object) -> list[Data]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("email_addresses must be a list")
    checked: list[Data] = []
    for item in items:
        field = item.get("field") or "EMAIL1"
        if not isinstance(field, str) or field not in _EMAIL_LENGTHS:
            raise ValueError(f"Invalid email field: {field}")
        if any(other["field"] == field for other in checked):
            raise ValueError(f"Duplicate email field: {field}")
        if not item.get("email"):
            continue
        try:
            email = normal_address(item["email"])
        except ValueError:
            raise ValueError(f"Invalid email address: {item['email']}") from None
        if len(email) > _EMAIL_LENGTHS[field]:
            raise ValueError(f"Email address is too long for {field}")
        kept: Data = {"email": email, "field": field}
        if isinstance(item.get("opt_in_reason"), str) and item["opt_in_reason"]:
            kept["opt_in_reason"] = item["opt_in_reason"]
        checked.append(kept)
    return checked


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string")
    if len(value) > TEXTS[name]:
        raise ValueError(f"{name} must not be longer than {TEXTS[name]} characters")
    return value


def _texts(name: str, item: Data, known: tuple[str, ...]) -> Data:
    """The texts of an object; what Keap does not know is dropped."""
    kept = {key: item[key] for key in known if item.get(key) is not None}
    for key, value in kept.items():
        if not isinstance(value, str):
            raise ValueError(f"{name}.{key} must be a string")
    return kept


def _items(name: str, value: object) -> list[Data]:
    items = value or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"{name} must be a list")
    checked: list[Data] = []
    for item in items:
        kept = _texts(name, item, PARTS[name])
        if name in _FIELDS and kept.get("field") not in _FIELDS[name]:
            raise ValueError(f"Invalid field of {name}: {kept.get('field')}")
        if name == "custom_fields" and "content" in item:
            kept["content"] = item["content"]
        checked.append(kept)
    return checked


def _company(value: object) -> Data | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("company must be an object")
    return _texts("company", value, ("id", "company_name"))


def checked(body: Mapping[str, Any]) -> Data:
    """The fields of a request in v2's spelling; unknown ones are ignored. Raises `ValueError` with Keap-like words."""
    data: Data = {name: _text(name, body[name]) for name in TEXTS if name in body}
    data |= {name: _items(name, body[name]) for name in PARTS if name in body}
    if "company" in body:
        data["company"] = _company(body["company"])
    if "email_addresses" in body:
        data["email_addresses"] = _emails(body["email_addresses"] or [])
    for item in data.get("addresses", []):
        if (item.get("region") or item.get("region_code")) and not item.get("country_code"):
            raise ValueError("country_code is required if region is specified")
    return data


def reachable(data: Data) -> bool:
    """Whether a contact has at least one way to reach it, as a new one must."""
    return any(data.get(name) for name in ("email_addresses", "phone_numbers", "addresses"))


def from_v1(body: Mapping[str, Any]) -> Data:
    """A v1 body in v2's spelling, not yet checked: numbers become text, the reason goes to each address."""
    data = {_V1_NAMES.get(name, name): value for name, value in body.items()}
    for name in _V1_NUMBERS:
        if isinstance(data.get(name), int):
            data[name] = str(data[name])
    company = data.get("company")
    if isinstance(company, dict) and "id" in company:
        data["company"] = {**company, "id": str(company["id"])}
    if isinstance(data.get("custom_fields"), list):
        data["custom_fields"] = [
            {**item, "id": str(item.get("id"))} if isinstance(item, dict) else item
            for item in data["custom_fields"]
        ]
    reason, emails = data.pop("opt_in_reason", None), data.get("email_addresses")
    if reason and isinstance(emails, list):
        data["email_addresses"] = [
            {**item, "opt_in_reason": reason} if isinstance(item, dict) else item for item in emails
        ]
    return data


def v1_mask(names: list[str]) -> set[str]:
    """The fields an `update_mask` of v1 names, in v2's spelling."""
    found = {_V1_NAMES.get(name, name) for name in names}
    return found | ({"email_addresses"} if "opt_in_reason" in found else set())


def to_v1(data: Data) -> Data:
    """The plain part of a v1 contact."""
    body: Data = {}
    back = {new: old for old, new in _V1_NAMES.items()}
    for name in TEXTS:
        value = data.get(name)
        if value is not None:
            body[back.get(name, name)] = int(value) if name in _V1_NUMBERS and value.isdecimal() else value
    for name in (*_FIELDS, "social_accounts"):
        body[name] = [
            {key: value for key, value in item.items() if key not in _NOT_IN_V1}
            for item in data.get(name, [])
        ]
    body["custom_fields"] = [
        {**item, "id": int(item["id"])}
        for item in data.get("custom_fields", [])
        if item.get("id", "").isdecimal()
    ]
    body["email_addresses"] = [
        {"email": item["email"], "field": item["field"]} for item in data.get("email_addresses", [])
    ]
    company = data.get("company")
    if company and str(company.get("id", "")).isdecimal():
        body["company"] = {**company, "id": int(company["id"])}
    return body
