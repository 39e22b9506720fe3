"""Horizon's WSGI application with its own static files: gunicorn serves none."""

import mimetypes
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openstack_dashboard.settings")
from django.core.wsgi import get_wsgi_application  # noqa: E402

horizon = get_wsgi_application()
ROOT = os.path.realpath(os.path.join(os.environ["FEDGATE_HORIZON"], "static"))


def application(environ, start_response):
    path = environ.get("PATH_INFO", "")
    if not path.startswith("/static/"):
        return horizon(environ, start_response)
    file = os.path.realpath(os.path.join(ROOT, path[len("/static/"):]))
    if not file.startswith(ROOT + os.sep) or not os.path.isfile(file):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no such file"]
    kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(os.path.getsize(file)))])
    return environ.get("wsgi.file_wrapper", lambda f: [f.read()])(open(file, "rb"))
