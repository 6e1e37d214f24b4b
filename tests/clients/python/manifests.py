"""Reads YAML, or a Kustomize rendering on standard input ('-'), and says what is in it as one JSON array on standard output.

usage: manifests.py kubernetes|compose|plain FILE…

With `kubernetes` each document must be valid by the official schemas of the versions named below (documents of other
groups, which have none, are only read), with `compose` by the Compose Specification's.
"""

import json
import os
import sys

import yaml

# The first one in which native sidecars are on by default, and the newest that the package knows.
OLDEST = "1.29"
# Groups that come with their own operators.
FOREIGN = ("monitoring.coreos.com/", "kustomize.config.k8s.io/")


def kubernetes(document):
    import kubernetes_validate

    if document["apiVersion"].startswith(FOREIGN):
        return
    for version in (OLDEST, kubernetes_validate.latest_version()):
        kubernetes_validate.validate(document, version, strict=True)


def compose(document):
    import jsonschema

    path = os.path.join(os.environ["PGVITALS_NODE_MODULES"], "dclint", "schemas", "compose.schema.json")
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator(schema).validate(document)


CHECKS = {"kubernetes": kubernetes, "compose": compose, "plain": lambda document: None}


def main():
    check, documents = CHECKS[sys.argv[1]], []
    for path in sys.argv[2:]:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            documents += [document for document in yaml.safe_load_all(file) if document is not None]
    for document in documents:
        check(document)
    json.dump(documents, sys.stdout)


main()
