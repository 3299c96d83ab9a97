"""Names that people would take for another's are refused, with what they look like."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from accounts.lookalikes import check_new_name, scripts_of, skeleton

pytestmark = pytest.mark.django_db


def refusal(name: str, user: User | None = None) -> str:
    """Why a new name is refused; empty if it is not."""
    try:
        check_new_name(name, user)
    except ValidationError as error:
        return error.messages[0]
    return ""


@pytest.mark.parametrize(
    "name",
    [
        "Alice",
        "ALICE",
        "\u0430lice",  # Cyrillic a
        "\u03b1lic\u0435",  # Greek alpha, Cyrillic e
        "\uff41\uff4c\uff49\uff43\uff45",  # full-width
        "\U0001d44elice",  # mathematical italic
        "a1ice",
        "aIice",
        "al1ce",
        "\u0391LIC\u0395",  # large Greek alpha and epsilon
    ],
)
def test_what_looks_like_somebody_is_refused_with_their_name(alice: User, name: str) -> None:
    assert refusal(name) == f"{name} looks like alice, who is here already. Choose another."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob0", "bobO"),
        ("rnike", "mike"),
        ("vvendy", "wendy"),
        ("\u0440\u043e\u0440", "pop"),  # all Cyrillic
        ("\u039f\u03a1\u0391", "OPA"),  # all Greek, large
        ("\u0555s\u0578", "OSn"),  # Armenian
        ("a\u0661", "al"),  # an Arabic one
        ("\u0451lka", "\u00eblka"),  # the same mark on e of two scripts
        ("\u13aaL", "al"),  # Cherokee
        ("\ua4ee\ua4e1\ua4f2", "ALI"),  # Lisu
        ("\u0130lker", "Ilker"),  # a Turkish I with its dot
        ("\u01c0an", "Ian"),  # a click
    ],
)
def test_these_look_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize("name", ["alan", "alice2", "malice", "\u00e1lice", "bob", "anna_lee", "j.doe", "ops-1"])
def test_other_names_are_free(alice: User, name: str) -> None:
    assert refusal(name) == ""


@pytest.mark.parametrize("name", ["system", "System", "\u0455\u0443\u0455tem", "N0TIFY", "Gue\u0455t", "someone"])
def test_nobody_is_called_as_the_site_itself(name: str) -> None:
    assert refusal(name).endswith(" a name under which this site speaks. Choose another.")


@pytest.mark.parametrize(("name", "refused"), [("admin", False), ("Admin", True), ("adm1n", True), ("r00t", True)])
def test_a_trusted_name_is_had_as_it_is_or_not_at_all(name: str, *, refused: bool) -> None:
    assert bool(refusal(name)) is refused


@pytest.mark.parametrize("name", ["Guest-4711235", "guest-l2O", "Gu\u0435st-47", "guest_12"])
def test_nobody_looks_like_a_guest(name: str) -> None:
    assert refusal(name) == "Names like Guest-4711235 are kept for guests."


def test_letters_of_several_scripts_are_refused() -> None:
    name = "z\u0444z"
    assert refusal(name) == f"{name} mixes Cyrillic and Latin letters, which look alike. Use those of one script."


@pytest.mark.parametrize(
    "name", ["\u0438\u0432\u0430\u043d", "\u7530\u4e2d\u3055\u3093_taro", "\ud55c\uae00kim", "\u0623\u062d\u0645\u062f"]
)
def test_one_script_is_free_and_so_is_what_east_asia_mixes(name: str) -> None:
    assert refusal(name) == ""


def test_scripts_are_those_of_letters_alone() -> None:
    assert scripts_of("abc-1.\u0430") == {"LATIN", "CYRILLIC"}


def test_who_is_renamed_may_look_like_themselves(alice: User, bob: User) -> None:
    assert refusal("Alice", alice) == ""
    assert "looks like alice" in refusal("Alice", bob)


def test_an_equal_name_is_refused_by_whoever_holds_them_unique(alice: User) -> None:
    assert refusal("alice") == ""
