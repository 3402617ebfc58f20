"""What schemathesis is told about Quenty: which things there are. Of the ids that it makes up, most become ids of things
that exist, so that what lies behind a 404 is reached, too. Read by scripts/test-api, which writes the list."""

import json
import os
import re
import zlib

import schemathesis

THINGS = json.load(open(os.environ["QUENTY_API_THINGS"], encoding="utf-8"))
ID = re.compile(r"^([A-Z]+)-[0-9A-HJKMNP-TV-Z]{26}$|^(QTY)[0-9]{11}[A-Z]{2}$")
# Of as many made-up ids one stays as it is.
ONE_STAYS_OF = 5


def real(value):
    """The same value, with ids of things that exist; the same id always becomes the same one."""
    if isinstance(value, dict):
        return {name: real(part) for name, part in value.items()}
    if isinstance(value, list):
        return [real(part) for part in value]
    match = ID.match(value) if isinstance(value, str) else None
    known = THINGS.get(match[1] or match[2]) if match else None
    choice = zlib.crc32(value.encode()) if known else 0
    return known[choice % len(known)] if known and choice % ONE_STAYS_OF else value


@schemathesis.hook
def before_call(context, case, kwargs):
    for part in ("path_parameters", "query", "body"):
        value = getattr(case, part)
        if isinstance(value, (dict, list)):
            setattr(case, part, real(value))
