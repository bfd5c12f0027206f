"""Reads a SAM template as JSON and writes it as SAM translates it for CloudFormation. Needs no network and no account."""

import json
import sys

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template = json.load(sys.stdin)
for resource in template["Resources"].values():
    for uri in ("CodeUri", "DefinitionUri"):
        if uri in resource.get("Properties", {}):
            # What `sam package` would have put there; the translation takes no local path.
            resource["Properties"][uri] = "s3://bucket/key"
translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=Session(region_name="eu-central-1"))
json.dump(translator.translate(sam_template=template, parameter_values={}), sys.stdout)
