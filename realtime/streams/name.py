"""What a stream may be called: what an address, a layer and every file system can hold."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

validate_name = RegexValidator(
    r"\A[a-z0-9][a-z0-9._-]{0,63}\Z",
    "Use 1 to 64 lower-case letters, digits, dots, underscores and hyphens, a letter or digit first.",
)


def is_name(text: str) -> bool:
    """Tell whether `text`, already lower-cased, may name a stream."""
    try:
        validate_name(text)
    except ValidationError:
        return False
    return True
