"""This site's settings in production, but static files are found where they are: nothing has to be collected."""

from config.settings import *  # noqa: F403 - all of them are meant
from config.settings import DATA_DIR
from config.settings import STORAGES as SITE_STORAGES

STORAGES = {**SITE_STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
