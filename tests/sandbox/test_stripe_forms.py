"""Stripe's bracketed forms: what its library writes is what the sandbox reads."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from truesend_sandbox.stripe import forms
from truesend_sandbox.stripe.errors import Refusal

_NAMES = st.text("abcdefgh_ÄÖ 09&=+%.", min_size=1, max_size=6)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(_TEXTS, st.integers(-(10**9), 10**9), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(_NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def _as_read(value: Any) -> Any:
    """Everything is text, and a list an object whose names are numbers."""
    if isinstance(value, dict):
        return {name: _as_read(one) for name, one in value.items()}
    if isinstance(value, list):
        return {str(number): _as_read(one) for number, one in enumerate(value)}
    return str(value).lower() if isinstance(value, bool) else str(value)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inner), default=0)


@given(st.dictionaries(_NAMES, _VALUES, max_size=4).filter(lambda form: _depth(form) < 8))
def test_what_the_library_writes_is_read(form: dict[str, Any]) -> None:
    # The library writes a boolean inside a list as Python does.
    written = urlencode([(name, _as_read(value)) for name, value in _api_encode(form)])
    assert forms.decode(written) == _as_read(form)


@given(st.text("ab[]=&01%+", max_size=40))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    with suppress(Refusal):
        assert isinstance(forms.decode(text), dict)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("expand[]=a&expand[]=b", ["a", "b"]),
        ("expand[1]=b&expand[0]=a", ["a", "b"]),
        (
            "expand[][price]=x&expand[][quantity]=2&expand[][price]=y",
            [{"price": "x", "quantity": "2"}, {"price": "y"}],
        ),
        ("expand=", []),
        ("", []),
    ],
)
def test_lists_are_read_in_each_way_they_are_written(text: str, wanted: list[Any]) -> None:
    assert forms.list_of(forms.decode(text), "expand") == wanted


@pytest.mark.parametrize("text", ["a=1", "a[b]=1", f"a[{'9' * 5000}]=1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="Invalid array"):
        forms.list_of(forms.decode(text), "a")


def test_metadata_may_have_numbers_for_names() -> None:
    params = forms.decode("metadata[0]=a&metadata[7]=b&metadata[old]=")
    assert forms.metadata(params, {"old": "x", "kept": "y"}) == {"kept": "y", "0": "a", "7": "b"}


@pytest.mark.parametrize(
    "text", ["[a]=1", "a]b=1", "a[b=1", "a" + "[b]" * 9 + "=1", "a=1&a[b]=2", "a[b]=2&a=1"]
)
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        forms.decode(text)
