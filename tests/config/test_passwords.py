"""Passwords that this site makes up."""

from config.passwords import ALPHABET, random_password


def test_a_password_can_be_read_aloud_and_is_no_other_s() -> None:
    made = {random_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 12 and set(each) <= set(ALPHABET) for each in made)


def test_nobody_has_to_tell_an_o_from_a_0() -> None:
    assert not set("01lo") & set(ALPHABET)
