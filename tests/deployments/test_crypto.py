"""What is sealed opens with the right key, at its own place, unchanged; and in no other case."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.crypto import CannotOpen, Keyring, Sealed, new_key_line

RING = Keyring.parse(new_key_line())
KEY = base64.b64encode(bytes(32)).decode()


def changed(blob: bytes, **fields: object) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(msgspec.msgpack.decode(blob, type=Sealed), **fields))


@given(st.binary(max_size=2000), st.text(max_size=60))
def test_what_is_sealed_opens_again(plaintext: bytes, context: str) -> None:
    assert RING.open(RING.seal(plaintext, context), context) == plaintext


def test_the_sealed_bytes_show_nothing_and_differ_each_time() -> None:
    first, second = RING.seal(b"canary-value", "a"), RING.seal(b"canary-value", "a")
    assert b"canary" not in first
    assert first != second


def test_a_record_copied_to_another_row_does_not_open() -> None:
    with pytest.raises(CannotOpen, match="secretvalue:2:value"):
        RING.open(RING.seal(b"x", "secretvalue:1:value"), "secretvalue:2:value")


def test_another_installations_key_does_not_open() -> None:
    with pytest.raises(CannotOpen):
        Keyring.parse(new_key_line()).open(RING.seal(b"x", "a"), "a")


def test_another_key_of_the_same_id_does_not_open() -> None:
    other = Keyring({RING.primary: bytes(32)}, RING.primary)
    with pytest.raises(CannotOpen):
        other.open(RING.seal(b"x", "a"), "a")


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_single_changed_byte_opens(place: int, flip: int) -> None:
    blob = bytearray(RING.seal(b"value", "a"))
    blob[place % len(blob)] ^= flip
    with pytest.raises(CannotOpen):
        RING.open(bytes(blob), "a")


@given(st.binary(max_size=200))
def test_bytes_that_nobody_sealed_do_not_open(blob: bytes) -> None:
    with pytest.raises(CannotOpen):
        RING.open(blob, "a")


@pytest.mark.parametrize(
    "fields",
    [{"nonce": b""}, {"nonce": b"x" * 300}, {"wrap_nonce": b"x"}, {"wrapped": b""}, {"ciphertext": b"x"},
     {"key_id": "nobody"}, {"version": 2}],
)  # fmt: skip
def test_a_record_of_another_shape_does_not_open(fields: dict[str, object]) -> None:
    with pytest.raises(CannotOpen):
        RING.open(changed(RING.seal(b"x", "a"), **fields), "a")


def test_the_error_names_the_place_and_never_the_value() -> None:
    with pytest.raises(CannotOpen) as refused:
        RING.open(RING.seal(b"canary-value", "a"), "b")
    assert str(refused.value) == "cannot open b: wrong key or changed record"


def test_after_a_key_is_added_the_new_one_seals_and_both_open() -> None:
    old_line, new_line = new_key_line(), new_key_line()
    before, after = Keyring.parse(old_line), Keyring.parse(new_line + old_line)
    assert after.primary == new_line.partition(":")[0]
    assert after.open(before.seal(b"old", "a"), "a") == b"old"
    with pytest.raises(CannotOpen):
        before.open(after.seal(b"new", "a"), "a")


def test_the_checksum_outlives_an_added_key_and_changes_with_value_and_purpose() -> None:
    line = new_key_line()
    before, after = Keyring.parse(line), Keyring.parse(new_key_line() + line)
    assert before.checksum("p", b"x") == after.checksum("p", b"x")
    assert len({before.checksum("p", b"x"), before.checksum("p", b"y"), before.checksum("q", b"x")}) == 3
    assert before.checksum("p", b"x") != Keyring.parse(new_key_line()).checksum("p", b"x")
    assert len(before.checksum("p", b"x")) == 16


def test_comments_and_empty_lines_of_the_key_file_are_skipped() -> None:
    assert Keyring.parse(f"\n# old:key\n  # another\n  a:{KEY}  \n\nb:{KEY}\n") == Keyring(
        {"a": bytes(32), "b": bytes(32)}, "a"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        (f":{KEY}", "line 1"),
        (f"# one\na:{KEY}\nb", "line 3"),
        ("a:not base64!", "line 1"),
        (f"a:{KEY[:-4]}", "line 1"),
        (f"a:{base64.b64encode(bytes(16)).decode()}", "line 1"),
        (f"a:{KEY}\na:{KEY}", "line 2"),
    ],
)
def test_a_key_file_that_cannot_be_read_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        Keyring.parse(text)
    assert KEY not in str(refused.value)
