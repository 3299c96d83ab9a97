"""Names that people would take for another: what they look like, and why a new one is refused.

The idea is that of Unicode's Technical Standard 39: a name has a skeleton, which it shares with all that look like it
(§4), and letters of several scripts stand in one name only where those who write so mix them (§5.2).
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from realtime.names import normal

SPOKEN_UNDER = ("system", "notify", "chorus", "guest", "someone")
"""Names under which this site itself speaks."""
TRUSTED = ("admin", "moderator", "root")
"""Names that are trusted for what they say: to be had as they are, and in no other guise."""

ALIKE = {
    "a": "АаΑαɑᴀᎪꓮ",
    "b": "ВвЬьƅΒβʙᏴᏏꓐ",
    "c": "СсᴄϲϹᏟꓚ",
    "d": "ԀԁᴅᎠᏧꓓ",
    "e": "ЕеΕεᴇᎬꓰ",
    "f": "Ϝϝꓝ",
    "g": "ɡɢցᏀꓖ",
    "h": "НнҺһΗհʜᎻꓧ",
    "i": "ІіӀӏıΙιɩɪᎥꓲ",
    "j": "ЈјȷϳյᴊᎫꓙ",
    "k": "КкΚκᴋᏦꓗĸ",
    "l": "ʟլᏞꓡƖǀ",
    "m": "МмΜμᴍᎷꓟ",
    "n": "ΝηпոɴՈꓠ",
    "o": "ОоΟοσօᴏՕꓳ",
    "p": "РрΡρᴘᏢꓑ",
    "q": "Ԛԛզ",
    "r": "гʀᎡᏒꓣ",
    "s": "ЅѕƽꜱՏᏚꓢ",
    "t": "ТтΤτᴛᎢꓔ",
    "u": "υսᴜՍꓴ",
    "v": "ѴѵνᴠᏙꓦ",
    "w": "ԜԝωᴡᎳᏔꓪ",
    "x": "ХхΧχꓫ",
    "y": "УуҮүΥγʏᎩꓬ",
    "z": "ΖᴢᏃꓜ",
}
"""Letters that are drawn like a Latin one, large or small."""
DRAWN = str.maketrans({letter: latin for latin, letters in ALIKE.items() for letter in letters})
READ = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l"})
TOGETHER = (("rn", "m"), ("vv", "w"), ("l\u0307", "l"))
MIXED = {"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"}
"""Scripts that are written in one word in East Asia."""
GUEST = re.compile(r"guest[-_.]?[\dol]+")


def skeleton(name: str) -> str:
    """What a name looks like, in any case: two names of one skeleton are easily taken for each other."""
    drawn = unicodedata.normalize("NFKD", name).translate(DRAWN).casefold().translate(DRAWN)
    digits = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in drawn)
    read = digits.translate(READ)
    for pair, letter in TOGETHER:
        read = read.replace(pair, letter)
    return unicodedata.normalize("NFKC", read)


def check_new_name(name: str, user: Any = None) -> None:
    """Raise ValidationError, which says what it looks like, for a new name that could be taken for another.

    `user` is who is renamed, whose own name it may look like. Names that are there already are not asked.
    """
    looks = skeleton(name)
    if GUEST.fullmatch(looks):
        raise ValidationError("Names like Guest-4711235 are kept for guests.", code="guest_name")
    if (kept := _among(SPOKEN_UNDER, looks)) is not None:
        like = "is" if name == kept else f"looks like {kept},"
        raise ValidationError(f"{name} {like} a name under which this site speaks. Choose another.", code="lookalike")
    if (other := _taken(name, looks, user)) is not None:
        raise ValidationError(f"{name} looks like {other}, who is here already. Choose another.", code="lookalike")
    if (trusted := _among(TRUSTED, looks)) not in {None, name}:
        raise ValidationError(f"{name} looks like {trusted}. Choose another, or {trusted} itself.", code="lookalike")
    if len(scripts := scripts_of(name)) > 1 and not scripts <= MIXED:
        mixed = " and ".join(sorted(script.title() for script in scripts))
        raise ValidationError(f"{name} mixes {mixed} letters, which look alike. Use those of one script.", code="mixed")


def scripts_of(name: str) -> set[str]:
    """The scripts of a name's letters, as the first word of each letter's own name has it: `LATIN`, `CYRILLIC`."""
    letters = [each for each in normal(name) if each.isalpha()]
    return {re.split("[ -]", unicodedata.name(each, "UNKNOWN"))[0] for each in letters} - {"MODIFIER"}


def _among(names: Iterable[str], looks: str) -> str | None:
    return next((each for each in names if skeleton(each) == looks), None)


def _taken(name: str, looks: str, user: Any) -> str | None:
    """Another's name of the same look; one that is equal is the database's to refuse."""
    others: Any = get_user_model()._default_manager.all()
    if user is not None:
        others = others.exclude(pk=user.pk)
    names = others.values_list(get_user_model().USERNAME_FIELD, flat=True)
    return next((each for each in names.iterator() if each != name and skeleton(each) == looks), None)
