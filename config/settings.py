"""This site's settings, all from the environment; with nothing set, development on this machine.

With DEBUG=0 whatever is missing or wrong stops start-up with one error that names the variable.
The CHORUS_* settings are read by realtime/conf.py and by the conf.py of an app that has some of its own.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from config import environment, stores
from config.logging import logging_config
from realtime.conf import Conf

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(environment.text("DATA_DIR") or BASE_DIR / "var").resolve()
DEBUG = environment.switch("DEBUG", default=True)
CHORUS_DEV_LAN = environment.switch("CHORUS_DEV_LAN", default=False)
"""Development on a network whose machines are all trusted."""


if DEBUG:
    SECRET_KEY = environment.text("SECRET_KEY") or stores.development_secret_key(DATA_DIR)
    ALLOWED_HOSTS = [*environment.hosts("ALLOWED_HOSTS", star=True), ".localhost", "127.0.0.1", "[::1]"]
    if CHORUS_DEV_LAN:
        ALLOWED_HOSTS = ["*"]  # this machine has a name and an address in every network it is in
else:
    SECRET_KEY = environment.text("SECRET_KEY") or environment.refuse(
        "SECRET_KEY", "a long random string, since DEBUG is off"
    )
    ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", star=False) or environment.refuse(
        "ALLOWED_HOSTS", "this site's host names, such as chat.example.com, since DEBUG is off"
    )
SECRET_KEY_FALLBACKS = environment.names("SECRET_KEY_FALLBACKS")
"""Keys of before: what they signed still counts."""
ALLOWED_ORIGINS = environment.origins("ALLOWED_ORIGINS")
"""Other sites whose pages may use our cookies on a socket."""
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
TRUSTED_PROXIES = environment.proxies("TRUSTED_PROXIES")
"""Who is believed what they forward: addresses, networks, and `unix` for whoever connects by a unix socket."""
TRUSTED_HEADERS = environment.forwarding("TRUSTED_HEADERS")
"""What of it is read; realtime/peer.py reads it, so that Django needs no SECURE_PROXY_SSL_HEADER."""

INSTALLED_APPS = [
    *(["daphne"] if DEBUG else []),  # makes `runserver` an ASGI server
    "config.admin.ChorusAdminConfig",
    "accounts",  # before auth, whose createsuperuser it holds to its own names
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "ninja",  # serves the files of the OpenAPI page
    "config",
    "realtime",
    "chat",
    "counter",
    "notifications",
]

MIDDLEWARE = [
    "config.cookies.cookies_under_prefix",
    "django.middleware.security.SecurityMiddleware",
    "config.static.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "realtime.big_forms.BigFormsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.guests.GuestCookieMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


DATABASES = {"default": stores.database(DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = environment.redis("REDIS_URL", needed=not DEBUG)
"""Empty: everything stays in this one process."""
NAMESPACE: str = environment.text("CHORUS_NAMESPACE") or Conf.model_fields["namespace"].default
CHANNEL_LAYERS = {"default": stores.channel_layer(REDIS_URL, NAMESPACE)}
if REDIS_URL:  # what all processes count together: attempts to log in
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": f"{NAMESPACE}:cache",
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},  # who logs in waits for it
        }
    }

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "accounts.attempts.Attempts"
AXES_CLIENT_IP_CALLABLE = "realtime.http.requests.address_of"
AXES_LOCKOUT_CALLABLE = "accounts.views.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the end that was told stays
AXES_ENABLE_ADMIN = False  # nothing is in its tables
AXES_VERBOSE = False
AXES_FAILURE_LIMIT = environment.number("LOGIN_FAILURES_PER_USER", default=10)
"""Passwords that may fail for one user from one address; 0: any number."""
LOGIN_FAILURES_PER_ADDRESS = environment.number("LOGIN_FAILURES_PER_ADDRESS", default=50)
"""Passwords and tokens that may fail from one address; 0: any number."""
AXES_COOLOFF_TIME = timedelta(seconds=environment.number("LOGIN_COOL_OFF", default=600))
"""In this time, after which they may again."""

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"  # config/static.py puts the path of a site below one before it
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.PlainStorage" if DEBUG else "config.static.ManifestStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # config/static.py allows ALLOWED_ORIGINS

LOGGING = logging_config(debug=DEBUG)

HTTPS = environment.switch("HTTPS", default=not DEBUG)
"""HTTPS=0 with DEBUG=0: a site on a closed network that speaks plain HTTP."""
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "realtime.views.refused_form"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"(^|/)api/status$"]  # asked by health checks on the server itself
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if HTTPS else 0
SILENCED_SYSTEM_CHECKS = [
    # Other names below our host, and a list in browsers, are not this site's to decide.
    "security.W005",
    "security.W021",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
