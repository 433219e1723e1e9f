"""All settings, read from the environment. What is wrong is named by variable, here or by `manage.py check`."""

from pathlib import Path
from typing import Any

import environ

from llmdash import environment as env
from llmdash.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env.text("LLMDASH_STATE_DIR") or BASE_DIR / "var")

# ---- Django
DEBUG = env.flag("LLMDASH_DEBUG")
SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY and (STATE_DIR / "secret_key").exists():
    SECRET_KEY = (STATE_DIR / "secret_key").read_text().strip()
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
BASE_PATH = env.path("LLMDASH_BASE_PATH")
FORCE_SCRIPT_NAME = BASE_PATH or None
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "llmdash.errors.csrf_failure"
ROOT_URLCONF = "llmdash.urls"
WSGI_APPLICATION = "llmdash.wsgi.application"
ASGI_APPLICATION = "llmdash.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; a larger body is a 413
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

INSTALLED_APPS = [
    "llmdash",
    "llmdash.accounts",
    "deployments",
    "monitoring",
    "llmdash.accounts.adminconfig.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
]
MIDDLEWARE = [
    "llmdash.machines.MachinesMiddleware",
    "llmdash.middleware.RequestIdMiddleware",
    "llmdash.middleware.MeasureMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "llmdash.middleware.ContentSecurityPolicyMiddleware",
    "llmdash.middleware.DialogMiddleware",
    "llmdash.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "llmdash.middleware.Utf8Middleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "llmdash.middleware.SignInRequiredMiddleware",
    "llmdash.middleware.ReadOnlyMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "llmdash.context.shell",
            ],
            "builtins": ["deployments.templatetags.show"],
        },
    }
]

# ---- Database
DATABASES = {"default": environ.Env.db_url_config(env.secret("DATABASE_URL", f"sqlite:///{STATE_DIR / 'db.sqlite3'}"))}
if "sqlite3" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["CONN_MAX_AGE"] = 60

# ---- Redis, cache, Celery
REDIS_URL = env.secret("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "llmdash_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # with the usual 300, strangers could push out who is counted
    }
}
BROKER_DIR = STATE_DIR / "broker"
CELERY_BROKER_URL = REDIS_URL or "folder://localhost"  # llmdash.folderqueue
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_timeout": 5, "socket_connect_timeout": 2}
    if REDIS_URL
    else {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
)
CELERY_IMPORTS = ["llmdash.worker"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False  # the sweep finds what a lost message meant
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# ---- Files
STATIC_URL = f"{BASE_PATH}/static/"  # whole, since it is looked at before the first request tells a prefix
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("LLMDASH_STATIC_DIR") or STATE_DIR / "staticfiles")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # pages name no others, and compressing takes seconds

# ---- Sign-in
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
ACCOUNT_ADAPTER = "llmdash.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "llmdash.accounts.forms.SignInForm",
    "reset_password": "llmdash.accounts.forms.ForgottenForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# ---- Security
HTTPS = env.flag("LLMDASH_HTTPS")  # set when a TLS proxy stands in front
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{BASE_PATH}/"
SESSION_COOKIE_AGE = 12 * 3600
# Whom X-Forwarded-Proto and X-Forwarded-For are believed; `llmdash.proxies` takes them from everybody else.
TRUSTED_PROXIES = env.words("LLMDASH_TRUSTED_PROXIES", "127.0.0.1,::1")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# HSTS for the host's other names, and for good, is for their owner to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# ---- Metrics
METRICS_TOKEN = env.secret("LLMDASH_METRICS_TOKEN")
METRICS_PORT = env.whole("LLMDASH_METRICS_PORT", 0, low=0, high=65_535)  # of the worker and the watcher; 0: none

# ---- REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "llmdash.accounts.authentication.TokenAuthentication",
        "llmdash.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "llmdash.accounts.authentication.WithinScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["llmdash.accounts.throttle.Throttle"],
    "NUM_PROXIES": 0,  # what a proxy that is believed said stands in the address already: llmdash.proxies
    "DEFAULT_RENDERER_CLASSES": ["deployments.http.Json"],
    "DEFAULT_PARSER_CLASSES": ["deployments.http.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "deployments.http.Pages",
    "DEFAULT_SCHEMA_CLASS": "llmdash.openapi.inspector.Inspector",
    "EXCEPTION_HANDLER": "deployments.http.problem",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "POSTPROCESSING_HOOKS": [],
}

# ---- llmdash
LLMDASH: dict[str, Any] = {
    "INSTALLATION": env.text("LLMDASH_INSTALLATION", "llmdash"),
    "ENCRYPTION_KEY_FILE": env.text("LLMDASH_ENCRYPTION_KEY_FILE") or str(STATE_DIR / "encryption_key"),
    "ALLOW_LOOPBACK": env.flag("LLMDASH_ALLOW_LOOPBACK"),
    "MAX_REPLICAS": env.whole("LLMDASH_MAX_REPLICAS", 200, low=1, high=100_000),
    "MAX_GPUS": env.whole("LLMDASH_MAX_GPUS", 16, low=0, high=1024),
    "LEASE_SECONDS": env.number("LLMDASH_LEASE_SECONDS", 15, low=0.5, high=300),
    "SWEEP_SECONDS": env.number("LLMDASH_SWEEP_SECONDS", 5, low=0.1, high=300),
    "BACKOFF_FIRST_SECONDS": env.number("LLMDASH_BACKOFF_FIRST_SECONDS", 1, low=0.05, high=60),
    "BACKOFF_LAST_SECONDS": env.number("LLMDASH_BACKOFF_LAST_SECONDS", 300, low=0.1, high=3600),
    "REFUSED_RETRY_SECONDS": env.number("LLMDASH_REFUSED_RETRY_SECONDS", 3600, low=1, high=86_400),
    "RECHECK_SECONDS": env.number("LLMDASH_RECHECK_SECONDS", 600, low=1, high=86_400),
    "CONTESTED_WINS": env.whole("LLMDASH_CONTESTED_WINS", 3, low=1, high=100),
    "CONTESTED_SECONDS": env.number("LLMDASH_CONTESTED_SECONDS", 300, low=1, high=86_400),
    "REQUEST_SECONDS": env.number("LLMDASH_REQUEST_SECONDS", 10, low=0.5, high=120),
    "STALE_SECONDS": env.number("LLMDASH_STALE_SECONDS", 45, low=1, high=3600),
    "WATCH_SECONDS": env.whole("LLMDASH_WATCH_SECONDS", 28, low=2, high=300),
    "THROTTLE_USER": env.rate("LLMDASH_THROTTLE_USER", "600/min"),
    "THROTTLE_ANON": env.rate("LLMDASH_THROTTLE_ANON", "60/min"),
    "TOKEN_MAX_DAYS": env.whole("LLMDASH_TOKEN_MAX_DAYS", 365, low=1, high=3650),
    "TOMBSTONE_DAYS": env.whole("LLMDASH_TOMBSTONE_DAYS", 30, low=1, high=3650),
}

LOGGING_CONFIG = None
logging_config(env.text("LLMDASH_LOG_LEVEL", "INFO"), as_json=env.text("LLMDASH_LOG_FORMAT", "auto"))
