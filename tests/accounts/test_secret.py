"""The form of a secret."""

import string
import time
import zlib

import pytest

from accounts.secret import digest, is_in, is_well_formed, new_secret


def test_a_secret_says_whose_it_is_and_checks_itself() -> None:
    secret = new_secret()
    assert secret.startswith("chorus_")
    assert len(secret) == len("chorus_") + 30 + 6
    assert is_well_formed(secret)


def test_no_two_secrets_are_alike() -> None:
    assert len({new_secret() for _ in range(100)}) == 100


def test_one_wrong_character_anywhere_is_noticed() -> None:
    secret = new_secret()
    for place, right in enumerate(secret):
        wrong = "x" if right != "x" else "y"
        assert not is_well_formed(secret[:place] + wrong + secret[place + 1 :])


@pytest.mark.parametrize("text", ["", "chorus_", "chorus_" + "0" * 36 + "\n", "é" * 43, "\ud800", "\x00", "a" * 10_000])
def test_what_is_no_secret_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)


def test_the_checksum_is_the_crc32_of_the_random_part_in_base62() -> None:
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    secret = new_secret()
    number = sum(digits.index(digit) * 62**place for place, digit in enumerate(reversed(secret[-6:])))
    assert number == zlib.crc32(secret[7:37].encode())


def test_a_digest_is_a_sha256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("around", ["{}", "here: {}.", '{{"token": "{}"}}', "a\n{}\nb", "chorus_chorus_{}", "{}tail"])
def test_a_secret_is_found_in_a_text(around: str) -> None:
    assert is_in(around.format(new_secret()))


def test_what_only_looks_like_one_is_not() -> None:
    wrong = new_secret()[:-1] + "!"
    assert not any(map(is_in, ["", "chorus_", "a chorus_line", wrong, "chorus_example0000000000000000000000000000"]))


def test_a_text_full_of_what_looks_like_secrets_costs_no_time() -> None:
    started = time.perf_counter()
    assert not is_in(("chorus_" + "0" * 36) * 25_000)
    assert time.perf_counter() - started < 0.1
