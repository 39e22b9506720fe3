"""Horizon behind fedgate, for tests. Everything that differs between runs comes from the environment."""

import os

DEBUG = False
ALLOWED_HOSTS = ["*"]
# Without one, Horizon would write a key into site-packages.
SECRET_KEY = os.environ.get("HORIZON_SECRET", "only-while-static-files-are-collected")
STATIC_ROOT = os.path.join(os.environ["FEDGATE_HORIZON"], "static")
COMPRESS_OFFLINE = True
# Sessions in files: a signed cookie would outlive the sign-out, and memcached is one part more.
SESSION_ENGINE = "django.contrib.sessions.backends.file"
SESSION_FILE_PATH = os.environ.get("HORIZON_SESSIONS", "/tmp")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
# No Nova here: the first page that needs nothing but Keystone.
HORIZON_CONFIG = {"user_home": "/project/api_access/"}

GATEWAY = os.environ.get("HORIZON_GATEWAY", "https://gateway.example")
OPENSTACK_KEYSTONE_URL = GATEWAY + "/v3"
OPENSTACK_SSL_CACERT = os.environ.get("HORIZON_CA")
WEBSSO_KEYSTONE_URL = GATEWAY + "/v3"
WEBSSO_ENABLED = True
WEBSSO_INITIAL_CHOICE = "fedgate_openid"
WEBSSO_CHOICES = (
    ("credentials", "Keystone Credentials"),
    ("fedgate_openid", "Sign in"),
    ("openid", "Sign in (global path)"),
)
WEBSSO_IDP_MAPPING = {"fedgate_openid": ("fedgate", "openid")}
# With the default, a forged Referer makes Horizon call any host.
WEBSSO_USE_HTTP_REFERER = False
# "Sign out" closes Horizon's session and goes on to the gateway, which closes the rest and comes back.
if os.environ.get("HORIZON_LOGOUT"):
    WEBSSO_DEFAULT_REDIRECT = True
    WEBSSO_DEFAULT_REDIRECT_PROTOCOL = "openid"
    WEBSSO_DEFAULT_REDIRECT_REGION = GATEWAY + "/v3"
    WEBSSO_DEFAULT_REDIRECT_LOGOUT = os.environ["HORIZON_LOGOUT"]
