"""This site's settings, but static files go to DATA_DIR: tests leave nothing in the working tree."""

from config.settings import *  # noqa: F403 - all of them are meant
from config.settings import DATA_DIR

STATIC_ROOT = DATA_DIR / "static"
