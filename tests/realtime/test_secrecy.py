"""What must not be said aloud."""

from collections.abc import Iterator

import pytest

from accounts.secret import new_secret
from realtime.protocol import Refused, sayable
from realtime.secrecy import FINDERS, NOT_SAYABLE, holds_secret


@pytest.fixture
def _swordfish() -> Iterator[None]:
    def finds(text: str) -> bool:
        return "swordfish" in text

    FINDERS.append(finds)
    yield
    FINDERS.remove(finds)


@pytest.mark.usefixtures("_swordfish")
def test_what_any_app_says_is_a_secret_is_one() -> None:
    assert holds_secret("it is swordfish")
    assert not holds_secret("it is a cod")


@pytest.mark.usefixtures("_swordfish")
def test_a_person_s_text_that_holds_one_is_refused_and_says_why() -> None:
    with pytest.raises(Refused) as caught:
        sayable("swordfish!")
    assert (caught.value.code, caught.value.message) == ("invalid", NOT_SAYABLE)


def test_tokens_are_among_them() -> None:
    assert holds_secret(f'my token: "{new_secret()}"')
