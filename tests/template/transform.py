"""Writes the CloudFormation that AWS makes of a SAM template.

Usage: transform.py TEMPLATE OUTPUT [PARAMETER=VALUE ..]
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """The template names no policy by its short name, so none has to be looked up."""

    def load(self):
        return {}


def main(template, output, *parameters):
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    # Through JSON, so that what the file says once and names twice becomes two things.
    source = json.loads(json.dumps(yaml_parse(Path(template).read_text())))
    del source["Metadata"]  # what the linter passes over in the source it must not pass over here
    # `sam deploy` puts the code into a bucket and writes its address here.
    source["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    values = {
        name: str(parameter["Default"])
        for name, parameter in source["Parameters"].items()
        if "Default" in parameter
    }
    values |= dict(parameter.split("=", 1) for parameter in parameters)
    Path(output).write_text(json.dumps(transform(source, values, NoManagedPolicies()), indent=1))


main(*sys.argv[1:])
