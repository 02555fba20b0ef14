"""Django's settings, derived from :mod:`truesend.env`. Nothing else reads the environment."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from truesend import env
from truesend.billing import tiers

env.refuse_unsafe()
if env.billing() == "stripe":
    try:
        tiers.read_prices(env.require("STRIPE_PRICES"))
    except tiers.PricesUnreadable as error:
        raise env.SettingError(f"TRUESEND_STRIPE_PRICES {error}.") from None
ENVIRONMENT = env.environment()
SECRET_KEY = env.get("SECRET_KEY") or ""
DEBUG = False
PUBLIC_URL = env.public_url()
_public = urlsplit(PUBLIC_URL)
# Another Host is redirected to PUBLIC_URL by our own middleware, so every name may knock here.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]

ROOT = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    # Before allauth: the first app that has a template of a name wins.
    "truesend.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "truesend.organizations",
    "truesend.connections",
    "truesend.sending",
    "truesend.tracking",
    "truesend.privacy",
    "truesend.blocklist",
    "truesend.alerts",
    "truesend.suppression",
    "truesend.writing",
    "truesend.inbox",
    "truesend.crm",
    "truesend.billing",
    "truesend.exports",
    "truesend.closing",
]

MIDDLEWARE = [
    "truesend.web.middleware.Health",
    "truesend.api.middleware.ApiProblems",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "truesend.web.middleware.OneHost",
    "truesend.web.middleware.ContentSecurityPolicy",
    "truesend.web.middleware.FewMayWait",
    "truesend.web.lasting.OnlyOurKeys",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "truesend.web.enrolling.SecondFactorFirst",
    "truesend.web.middleware.NoBlankRefusal",
    "truesend.web.middleware.NoteWhereFrom",
    "truesend.web.lasting.SessionLimits",
]

ROOT_URLCONF = "truesend.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "truesend.web.context.base",
            ]
        },
    }
]

# The database address is absent while commands such as `truesend up` only look at the settings.
_database = urlsplit(env.get("DATABASE_URL") or "")


def _option(name: str) -> str:
    for pair in _database.query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return unquote(value)
    return ""


DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_database.path.lstrip("/")) or "truesend",
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": unquote(_database.hostname or "") or _option("host"),
        "PORT": str(_database.port or _option("port")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "truesend"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    # Guess limits must hold over all processes, so the cache is shared.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "truesend_cache",
        # Beyond this the oldest counts are thrown away, and with them the limits they hold.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["truesend.organizations.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/emails"
LOGOUT_REDIRECT_URL = "/login"

ACCOUNT_ADAPTER = "truesend.organizations.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"reset_password": "truesend.organizations.signup.ResetPasswordForm"}
ACCOUNT_SIGNUP_FORM_CLASS = "truesend.organizations.forms.SignupFields"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Who changes addresses shows once more who they are.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
ACCOUNT_SIGNUP_REDIRECT_URL = "/integration"
ACCOUNT_PREVENT_ENUMERATION = True
if (env.get("GUESS_LIMITS") or ("off" if ENVIRONMENT == "dev" else "on")) == "off":
    ACCOUNT_RATE_LIMITS: dict[str, str] | bool = False
    MFA_RATE_LIMITS: dict[str, str] | bool = False
else:
    # Beside allauth's own: links of invitations that nobody made, and accounts made by them.
    ACCOUNT_RATE_LIMITS = {"invite": "20/m/ip"}

MFA_ADAPTER = "truesend.organizations.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "truesend.organizations.second_factor_forms.Authenticate",
    "reauthenticate": "truesend.organizations.second_factor_forms.Reauthenticate",
    "activate_totp": "truesend.organizations.second_factor_forms.AddApp",
    "add_webauthn": "truesend.organizations.second_factor_forms.AddPasskey",
    "authenticate_webauthn": "truesend.organizations.second_factor_forms.AuthenticateByPasskey",
    "reauthenticate_webauthn": "truesend.organizations.second_factor_forms.ReauthenticateByPasskey",
    "login_webauthn": "truesend.organizations.second_factor_forms.SignInByPasskey",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Truesend"
# A phone's clock may be half a minute off. That a code serves once is ours to hold: second_factor.py.
MFA_TOTP_TOLERANCE = 1
# Whether an address is verified is asked by our own pages, which know where no mail can be sent.
MFA_ALLOW_UNVERIFIED_EMAIL = True

SESSION_ENGINE = "django.contrib.sessions.backends.db"
# The first end of a session; organizations/session_limits.py moves it with each use, as far as it may go.
SESSION_COOKIE_AGE = 3600 * min(env.number("SESSION_IDLE_HOURS"), env.number("SESSION_HOURS"))
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
# Browsers let no neighbouring host set a cookie that is called so.
SESSION_COOKIE_NAME = "__Host-truesend_session" if SESSION_COOKIE_SECURE else "truesend_session"
# A link that sets a new password is used soon, or asked for again.
PASSWORD_RESET_TIMEOUT = 4 * 3600
CSRF_COOKIE_NAME = "csrftoken"
SECURE_REFERRER_POLICY = "same-origin"
# A mail alone in its frame says otherwise of itself (web/frames.py).
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 31_536_000 if _public.scheme == "https" and ENVIRONMENT == "prod" else 0
# Whether neighbouring hosts speak https (W005, W021) is for the owner of the domain to say, in the proxy that ends TLS
# and leads http to https (W008): it alone sees which of the two somebody came by.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024  # 25 MB of attachments in base64, and the mail around them

EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"
DEFAULT_FROM_EMAIL = env.require("EMAIL_FROM")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [path for path in (ROOT / "frontend" / "dist",) if path.is_dir()]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
# Vite writes hashed names below assets/: those never change.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8,}\.\w+$"

PROCRASTINATE_ON_APP_READY = None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "truesend": {"level": "INFO"},
        "procrastinate": {"level": "WARNING"},
        # A 404 or 422 is an answer, not an event; a 500 still speaks.
        "django.request": {"level": "ERROR"},
    },
}
