"""What a value of the API may be: texts, lines, ids, moments. The documents name the patterns, the checks are ours."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Any

from ninja import Field
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from truesend.sending import lines

_ID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_MEDIA_TYPE = re.compile(r"^[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}( *;[ -~]*)?$")
# An Idempotency-Key: printable ASCII, empty for none.
KEY = r"^([!-~]([ -~]*[!-~])?)?$"
LONGEST_HTML = 5 * 1024 * 1024
# Far enough for every plan, and near enough for every clock and calendar on the way.
_LAST_YEAR = 2100


def _storable(text: str) -> str:
    if not lines.storable(text):
        raise ValueError("contains a NUL character" if "\x00" in text else "contains half a character")
    return text


def _on_one_line(text: str) -> str:
    if lines.broken(text):
        raise ValueError("contains a line break or control character")
    return text


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError("must be a media type such as application/pdf")
    return text


def _is_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("is not an id")
    return text


def _in_reach(moment: datetime) -> datetime:
    if moment.year >= _LAST_YEAR:
        raise ValueError(f"must lie before the year {_LAST_YEAR}")
    return moment


def _pattern(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": pattern})


def _bytes(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None


def number(value: Any) -> Any:
    """A JSON number; Python would take true for 1 and "5" for 5."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    return value


def _written_time(value: Any) -> Any:
    """RFC 3339 text; a bare number would silently be a moment in 1970."""
    if not isinstance(value, str | datetime):
        raise ValueError("is not a time")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_in_reach)]
# The documents name the patterns; the checks are ours, for their words.
Text = Annotated[str, AfterValidator(_storable), _pattern(r"^[^\x00]*$")]
# A subject and a file's name stand in a header.
Line = Annotated[str, AfterValidator(_storable), AfterValidator(_on_one_line), _pattern(lines.PATTERN)]
Id = Annotated[str, AfterValidator(_is_id), _pattern(_ID.pattern)]
ShortText = Annotated[str, Field(max_length=100), AfterValidator(_storable), _pattern(r"^[^\x00]*$")]
LongText = Annotated[str, Field(max_length=20_000), AfterValidator(_storable), _pattern(r"^[^\x00]*$")]
MediaType = Annotated[str, Field(max_length=255), AfterValidator(_media_type), _pattern(_MEDIA_TYPE.pattern)]
Content = Annotated[bytes, BeforeValidator(_bytes)]
