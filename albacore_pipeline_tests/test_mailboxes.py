"""Mail addresses: what is refused and why, and which two are one person's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.mailboxes import ascii_domain, check_mailbox, same_mailbox


@pytest.mark.parametrize(
    "address",
    ["pay@acme.example", "Pay.Here+x@Acme.Example", "o'hara@acme.no", "a/b@acme.fi", "bjørn@blåbær.no", "a@b.c"],
)
def test_an_address_is_kept_as_it_is_written(address: str) -> None:
    assert check_mailbox(address) == address


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "must have an @-sign"),
        ("pay", "must have an @-sign"),
        ("mailto:pay@acme.no", "invalid characters before the @-sign: ':'"),
        ("a@b..c", "two periods in a row"),
        ("a@b.", "end with a period"),
        ("a@b", "should have a period"),
        ("a..b@acme.no", "two periods in a row"),
        ("Anna <anna@acme.no>", "display name"),
        ("anna@acme.no, ben@acme.no", "invalid characters"),
        ("anna@acme.no\nBcc: all@acme.no", "invalid characters"),
        ("anna@acme.no ", "invalid characters"),
        ("anna@localhost", "period"),
        ("anna@[127.0.0.1]", "bracketed IP"),
        ('"anna b"@acme.no', "Quoting"),
        ("a" * 300 + "@acme.no", "has 308 characters: at most 254"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        check_mailbox(address)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@given(text=st.text(max_size=60) | st.text(alphabet='a@.+-:<>"\\ \x00\ud800é', max_size=20))
def test_nothing_but_a_value_error_comes_of_any_text(text: str) -> None:
    try:
        assert check_mailbox(text) == text
    except ValueError:
        return
    assert text.count("@") == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ops@x.no", "ops@x.no", True),
        ("ops@X.NO", "ops@x.no", True),
        ("ops+a@x.no", "ops@x.no", True),
        ("ops+a@x.no", "OPS+b@x.no", True),
        ("ops@blåbær.no", "ops@xn--blbr-roah.no", True),
        ("ops@x.no", "oops@x.no", False),
        ("ops@x.no", "ops@y.no", False),
        ("ops.a@x.no", "ops@x.no", False),
    ],
)
def test_one_person_in_two_writings_is_one(one: str, other: str, same: bool) -> None:
    assert same_mailbox(one, other) is same
    assert same_mailbox(other, one) is same


def test_a_domain_beyond_ascii_has_a_form_in_ascii_and_a_name_has_none() -> None:
    assert ascii_domain("anna@blåbær.no") == "anna@xn--blbr-roah.no"
    assert ascii_domain("bjørn@blåbær.no") == "bjørn@xn--blbr-roah.no"
    for same in ("Anna@acme.no", "anna@127.0.0.1", "no address, ø", "", "ø@", "@ø"):
        assert ascii_domain(same) == same
