"""A small Django project with its own test suite, which Django's test runner runs in a database that it makes itself."""

import logging
import os
import sys

import django
from django.conf import settings
from django.test.runner import DiscoverRunner

options = {}
if authority := os.environ.get("PGSSLROOTCERT"):
    options = {"sslmode": "verify-ca", "sslrootcert": authority}
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "OPTIONS": options,
            "TEST": {"NAME": "test_of_" + os.environ["PGDATABASE"]},
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "library"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
django.setup()

print("version", django.get_version())
logging.disable(logging.CRITICAL)
# How long it took is written to the error output.
sys.stderr = open(os.devnull, "w")
print("failures", DiscoverRunner(verbosity=0, interactive=False).run_tests(["library.tests"]))
print("done")
