"""This site with a fourth app: DJANGO_SETTINGS_MODULE=examples.whiteboard_settings make run."""

from config.settings import *  # noqa: F403 - all of them are meant
from config.settings import INSTALLED_APPS as CHORUS

INSTALLED_APPS = ["examples.whiteboard", *CHORUS]  # first, so that its base.html adds to the site's
ROOT_URLCONF = "examples.whiteboard_urls"
